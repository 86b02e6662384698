"""What all tests share: the folder of real recordings, and the demo collection made once by the real command."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# No example of a property is timed: a busy machine is no defect.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first; those that need real recordings say so where there are none."""
    data = data_folder()
    for item in items:
        if "realdata" in item.keywords and not data.is_dir():
            item.add_marker(
                pytest.mark.skip(reason=f"no recordings at {data}: set QUARTZLENS_TEST_DATA to run this test")
            )
    items.sort(key=lambda item: sum(name in item.keywords for name in ("slow", "browser")))


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """The program is pytest again after each test: Streamlit leaves the dashboard, which new processes would run."""
    program = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = program


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of this session's own, shared with the commands that tests start: each network is exported once."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUARTZLENS_CACHE", str(folder))
        yield folder


def data_folder() -> Path:
    """Folder of the real recordings: ``QUARTZLENS_TEST_DATA``, else ``../shared/data`` beside the checkout."""
    return Path(os.environ.get("QUARTZLENS_TEST_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of the real recordings."""
    return data_folder()


def quartzlens(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does, in a process of its own."""
    command = [sys.executable, "-m", "quartzlens", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, **options)  # type: ignore


@pytest.fixture(scope="session")
def demo_collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo collection, made by ``quartzlens demo``."""
    folder = tmp_path_factory.mktemp("demo") / "demo-collection"
    done = quartzlens("demo", "-c", folder)
    assert done.returncode == 0, done.stderr
    return folder

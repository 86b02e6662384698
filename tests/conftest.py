"""What all tests share: the folder of real recordings, and the demo collection made once by the real command."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.pipeline.small_disk import UNABLE

# No example of a property is timed: a busy machine is no defect.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first, then those that take longest; those that need real recordings say so where there are none."""
    data = data_folder()
    for item in items:
        if "realdata" in item.keywords and not data.is_dir():
            item.add_marker(
                pytest.mark.skip(reason=f"no recordings at {data}: set QUARTZLENS_TEST_DATA to run this test")
            )
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[bool, bool]:
    """What tests are sorted by. Who is given more time than usual begins early, so that no process waits at the end."""
    slow = any(name in item.keywords for name in ("slow", "browser"))
    return slow, slow and item.get_closest_marker("timeout") is None


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


def on_small_disk(disk: Path, size: int, *command: str, timeout: float = 600) -> list[dict[str, Any]]:
    """What ``tests.pipeline.small_disk`` tells of a command that it runs twice: on a disk so small, and with room."""
    run = [sys.executable, "-m", "tests.pipeline.small_disk", str(disk), str(size), *command]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False, timeout=timeout)
    if done.returncode == UNABLE:
        pytest.skip(f"no small disk can be made here without user namespaces: {done.stderr.strip()}")
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


@pytest.fixture(scope="session")
def demo_collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo collection, made by ``quartzlens demo``."""
    folder = tmp_path_factory.mktemp("demo") / "demo-collection"
    done = quartzlens("demo", "-c", folder)
    assert done.returncode == 0, done.stderr
    return folder

"""How the dashboard is served: settings that hold from any working directory, and what the first page loads."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from quartzlens.cli.serve import _reached_by
from store.collection import EncoderChoice, create_collection
from tests.conftest import quartzlens
from tests.dashboard.conftest import APP, ROOT

SETTINGS = {
    "server.address": "127.0.0.1",
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.fileWatcherType": "none",
    "server.maxUploadSize": 200,
    "server.allowedHosts": ["localhost", "127.0.0.1", "[::1]"],
    "server.enableAgentApi": False,
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
}


def test_the_settings_hold_from_another_folder(tmp_path: Path) -> None:
    """``streamlit run`` from any working directory finds the settings beside the entry script."""
    asked = f"""
import json
from streamlit import config
config._main_script_path = {str(APP)!r}
config.get_config_options(force_reparse=True)
print(json.dumps({{name: config.get_option(name) for name in {list(SETTINGS)!r}}}))
"""
    env = {name: value for name, value in os.environ.items() if not name.startswith("STREAMLIT_")}
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == SETTINGS


@pytest.mark.parametrize(("address", "host"), [("myhost.lan", "myhost.lan"), ("0.0.0.0", "*"), ("::", "*")])
def test_an_address_may_be_a_name(address: str, host: str) -> None:
    """Of an address that is a host's name pages of that host are served; of all addresses those of any."""
    assert _reached_by(address, None)[:2] == ("--server.allowedHosts", host)


@pytest.mark.parametrize("command", [("dashboard",), ("demo", "--serve")])
def test_a_port_that_is_taken_is_told_before_anything(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Exit code 1 with the command that works instead, no address is announced, and no demo is made for nothing."""
    folder = tmp_path / "my collection"
    if command == ("dashboard",):
        create_collection(folder, EncoderChoice())
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = quartzlens(*command, "-c", folder, "--port", str(port))
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be used: another program has it." in done.stderr
    name, *flags = command
    instead = rf"`quartzlens {' '.join([name, '-c', re.escape(shlex.quote(str(folder))), *flags])} --port \d+`"
    assert re.search(instead, done.stderr), done.stderr
    assert "http://" not in done.stderr
    assert folder.exists() == (command == ("dashboard",))


@pytest.mark.browser
def test_the_server_listens_on_loopback_alone(serve: Callable[[Path], str], made_collection: Path) -> None:
    """No other machine can reach the dashboard: its port listens on 127.0.0.1 and nowhere else."""
    port = int(serve(made_collection).rsplit(":", 1)[1])
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    lines = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    listening = [
        line[1].split(":")[0] for line in lines if line[3] == "0A" and int(line[1].rsplit(":", 1)[1], 16) == port
    ]
    assert listening == ["0100007F"]


@pytest.mark.browser
def test_an_upload_without_a_token_is_refused(serve: Callable[[Path], str], made_collection: Path) -> None:
    """XSRF protection is on: another site's page cannot upload through a person's browser."""
    address = f"{serve(made_collection)}/_stcore/upload_file/a-session/a-file"
    asked = urllib.request.Request(address, data=b"x", method="PUT")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(asked, timeout=30)
    assert refused.value.code == 403
    assert b"XSRF" in refused.value.read()


def test_the_first_page_loads_no_heavy_library(made_collection: Path, tmp_path: Path) -> None:
    """The first page is there without NeMo, torch, umap, scikit-learn or a decoder in the process."""
    script = f"""
import sys
sys.argv = ["app.py", "-c", {str(made_collection)!r}]
from streamlit import config
from streamlit.testing.v1 import AppTest
config.set_option("server.address", "127.0.0.1")
test = AppTest.from_file({str(APP)!r}, default_timeout=120).run()
assert test.title[0].value == "Overview" and not test.exception
print(sorted({{"nemo", "torch", "umap", "sklearn", "skorch", "av", "openvino", "yt_dlp"}} & set(sys.modules)))
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """``-c DIR`` after ``--`` names the collection, else QUARTZLENS_COLLECTION, else ./collection."""
    from dashboard import state

    monkeypatch.delenv("QUARTZLENS_COLLECTION", raising=False)
    monkeypatch.setattr(sys, "argv", ["app.py"])
    assert state.folder() == Path("collection").absolute()
    monkeypatch.setenv("QUARTZLENS_COLLECTION", "/from/the/environment")
    assert state.folder() == Path("/from/the/environment")
    monkeypatch.setattr(sys, "argv", ["app.py", "-c", "/from/the/flag"])
    assert state.folder() == Path("/from/the/flag")


def test_kept_files_come_from_the_media_folder_alone(monkeypatch: pytest.MonkeyPatch, made_collection: Path) -> None:
    """A name in the catalog that points out of the media folder, or at nothing, is never served."""
    from dashboard import state

    monkeypatch.setattr(sys, "argv", ["app.py", "-c", str(made_collection)])
    assert state.kept_file("v000.ogg") == made_collection / "media" / "v000.ogg"
    for name in ("../collection.toml", "/etc/passwd", "gone.ogg", "", None, ".", ".."):
        assert state.kept_file(name) is None


def test_no_view_hands_html_to_the_browser() -> None:
    """HTML is written in one place, for static style sheets; nothing allows it elsewhere."""
    sources = {path.name: path.read_text() for path in (ROOT / "dashboard").rglob("*.py")}
    assert [name for name, text in sources.items() if "unsafe_allow_html" in text] == []
    assert [name for name, text in sources.items() if "st.html(" in text] == ["style.py"]
    assert [name for name, text in sources.items() if "st.markdown(" in text] == []

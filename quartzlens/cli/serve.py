"""``quartzlens dashboard`` and ``quartzlens demo``."""

import errno
import os
import shlex
import signal
import socket
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from quartzlens.cli.common import CollectionOption, collection_folder, open_existing
from quartzlens.cli.evaluating import ensure_evaluation
from quartzlens.cli.ingest import run_ingest
from quartzlens.errors import PortError, UsageError

_HOST = "127.0.0.1"  # as dashboard/.streamlit/config.toml has it
PortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")]


def dashboard(collection: CollectionOption = None, port: PortOption = 8501) -> None:
    """Serve the dashboard of a collection on this machine alone; Ctrl-C ends it.

    Example: quartzlens dashboard -c my-collection --port 8600
    """
    folder = collection_folder(collection)
    with open_existing(folder):
        pass
    _check_port(port, "dashboard", folder)
    typer.echo(f"quartzlens: {folder} on http://{_HOST}:{port} (Ctrl-C ends it)", err=True)
    raise typer.Exit(_serve(folder, port))


def demo(
    collection: CollectionOption = None,
    serve: Annotated[bool, typer.Option("--serve", help="Serve the dashboard afterwards.")] = False,
    port: PortOption = 8501,
) -> None:
    """Make the demo collection: generated videos of four categories, embedded by the demo checkpoint, and evaluated.

    Example: quartzlens demo -c demo-collection --serve
    """
    from pipeline.checkpoint import demo_path

    folder, videos = collection_folder(collection), str(demo_path().parent / "videos.csv")
    _refuse_others(folder, videos)
    if serve:
        _check_port(port, "demo", folder, "--serve")
    summary = run_ingest([videos], folder, {})
    if summary["stopped"]:
        raise typer.Exit(1)
    ensure_evaluation(folder)
    if serve:
        raise typer.Exit(_serve(folder, port))


def _refuse_others(folder: Path, videos: str) -> None:
    """Raise UsageError for a collection that holds other videos: generated ones must never mix with a user's own."""
    from store.collection import open_collection

    if not (folder / "collection.toml").exists():
        return
    with open_collection(folder) as opened:
        media = str(Path(videos).parent)
        if any(not video.source.startswith(media) for video in opened.store.videos()):
            raise UsageError(f"{folder} holds other videos: give the demo a folder of its own with -c demo-collection.")


def _check_port(port: int, command: str, folder: Path, *flags: str) -> None:
    """Raise PortError where a port cannot be listened on; its message has the command with one that can."""
    try:
        socket.create_server((_HOST, port)).close()
    except OSError as error:
        with socket.create_server((_HOST, 0)) as free:
            other = str(free.getsockname()[1])
        words = shlex.join(["quartzlens", command, "-c", str(folder), *flags, "--port", other])
        reason = "another program has it" if error.errno == errno.EADDRINUSE else error.strerror
        raise PortError(f"Port {port} on {_HOST} cannot be used: {reason}. Choose another: `{words}`.") from error


def _serve(folder: Path, port: int) -> int:
    """Run streamlit as a process of its own and pass it our end."""
    app = Path(str(resources.files("dashboard"))) / "app.py"
    command = [
        sys.executable,
        "-P",  # nothing of the working directory is imported
        "-m",
        "streamlit",
        "run",
        str(app),
        "--server.port",
        str(port),
        "--",
        "-c",
        str(folder.absolute()),
    ]
    process = subprocess.Popen(command, env={**os.environ, "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"})
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        return 0

"""``quartzlens dashboard`` and ``quartzlens demo``."""

import os
import signal
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from quartzlens.cli.common import CollectionOption, collection_folder, open_existing
from quartzlens.cli.ingest import run_ingest
from quartzlens.errors import NotEnoughDataError

PortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")]


def dashboard(collection: CollectionOption = None, port: PortOption = 8501) -> None:
    """Serve the dashboard of a collection on this machine alone; Ctrl-C ends it.

    Example: quartzlens dashboard -c my-collection --port 8600
    """
    folder = collection_folder(collection)
    with open_existing(folder):
        pass
    typer.echo(f"quartzlens: {folder} on http://127.0.0.1:{port} (Ctrl-C ends it)", err=True)
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

    folder = collection_folder(collection)
    summary = run_ingest([str(demo_path().parent / "videos.csv")], folder, {})
    if summary["stopped"]:
        raise typer.Exit(1)
    ensure_evaluation(folder)
    if serve:
        raise typer.Exit(_serve(folder, port))


def ensure_evaluation(folder: Path) -> None:
    """Evaluate a collection that has no evaluation yet, so that the first look at the dashboard shows errors."""
    from quartzlens.cli.learn import run_evaluation

    with open_existing(folder) as opened:
        if any(run.kind == "evaluate" for run in opened.store.runs()):
            return
        try:
            metrics, _ = run_evaluation(opened)
        except NotEnoughDataError as error:
            typer.echo(f"not evaluated: {error}", err=True)
            return
    typer.echo(
        f"evaluated out of fold: accuracy {metrics['accuracy']['value']:.3f} over {metrics['n']} videos", err=True
    )


def _serve(folder: Path, port: int) -> int:
    """Run streamlit as a process of its own and pass it our end."""
    app = Path(str(resources.files("dashboard"))) / "app.py"
    command = [
        sys.executable,
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

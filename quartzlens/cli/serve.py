"""``quartzlens dashboard``, ``quartzlens demo`` and ``quartzlens password``."""

import errno
import os
import shlex
import signal
import socket
import subprocess
import sys
from importlib import resources
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from quartzlens.cli.common import CollectionOption, SearchDevice, collection_folder, open_existing
from quartzlens.cli.evaluating import ensure_evaluation
from quartzlens.cli.ingest import run_ingest
from quartzlens.entrance import LOOPBACK, Locks, check_entrance, hashed, is_loopback
from quartzlens.errors import PortError, UsageError

OWN_HOSTS = ("localhost", "127.0.0.1", "[::1]")  # as dashboard/.streamlit/config.toml has them
PortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]
AddressOption = Annotated[
    str, typer.Option(help="Address to listen on; any but this machine's own asks for a password or a proxy.")
]
NameOption = Annotated[
    str | None, typer.Option(help="Name that browsers reach it by, where that is not the address (a host or domain).")
]


def dashboard(
    collection: CollectionOption = None,
    port: PortOption = 8501,
    address: AddressOption = LOOPBACK,
    name: NameOption = None,
    device: SearchDevice = None,
) -> None:
    """Serve the dashboard of a collection, on this machine alone unless told otherwise; Ctrl-C ends it.

    Example: quartzlens dashboard -c my-collection --port 8600
    """
    folder = collection_folder(collection)
    check_entrance(address, _locks())
    with open_existing(folder, device):
        pass
    flags = () if address == LOOPBACK else ("--address", address)
    _check_port(port, "dashboard", folder, *flags, address=address)
    typer.echo(f"quartzlens: {folder} on http://{_in_url(name or address)}:{port} (Ctrl-C ends it)", err=True)
    raise typer.Exit(_serve(folder, port, address, name, device))


def password() -> None:
    """Ask for a password twice and print the setting by which the dashboard asks for it; nothing is kept.

    Where nobody sits at a terminal, the password is the first line of standard input.

    Example: quartzlens password
    """
    if sys.stdin.isatty():
        asked = typer.prompt("Password of the dashboard", hide_input=True, confirmation_prompt=True, err=True)
    else:
        asked = sys.stdin.readline().rstrip("\r\n")
    typer.echo(f"export QUARTZLENS_PASSWORD_HASH={hashed(asked)}")


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


def _check_port(port: int, command: str, folder: Path, *flags: str, address: str = LOOPBACK) -> None:
    """Raise PortError where a port cannot be listened on; its message has the command with one that can.

    UsageError for an address that is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.create_server((address, port), family=family).close()
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise UsageError(f"--address {address} is no address of this machine: {error.strerror}.") from error
        with socket.create_server((address, 0), family=family) as free:
            other = str(free.getsockname()[1])
        words = shlex.join(["quartzlens", command, "-c", str(folder), *flags, "--port", other])
        reason = "another program has it" if error.errno == errno.EADDRINUSE else error.strerror
        raise PortError(f"Port {port} on {address} cannot be used: {reason}. Choose another: `{words}`.") from error


def _locks() -> Locks:
    """What the settings say is asked at the entrance."""
    from quartzlens.config import load_settings

    return load_settings().locks


def _reached_by(address: str, name: str | None) -> tuple[str, ...]:
    """Flags for the hosts that browsers may name: this machine's own alone where only it can reach the dashboard."""
    if name is None and is_loopback(address):
        return ()
    known = name or ("*" if _is_any(address) else address)
    hosts = ("--server.allowedHosts", known, *(part for own in OWN_HOSTS for part in ("--server.allowedHosts", own)))
    return (*hosts, "--browser.serverAddress", name or address)


def _is_any(address: str) -> bool:
    """Whether an address stands for all of this machine's; a name never does."""
    try:
        return ip_address(address).is_unspecified
    except ValueError:
        return False


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _serve(folder: Path, port: int, address: str = LOOPBACK, name: str | None = None, device: str | None = None) -> int:
    """Run streamlit as a process of its own and pass it our end.

    A browser's page must come from ``name`` (else the address): any other site's page is refused the connection.
    """
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
        "--server.address",
        address,
        *_reached_by(address, name),
        "--",
        "-c",
        str(folder.absolute()),
        *(("--device", device) if device else ()),
    ]
    process = subprocess.Popen(command, env={**os.environ, "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"})
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        return 0

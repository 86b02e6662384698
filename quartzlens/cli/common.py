"""What the commands share: options, opening a collection, and printing."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quartzlens.characters import one_line
from quartzlens.errors import NotEnoughDataError

if TYPE_CHECKING:
    from pipeline.fetch import FetchOptions
    from pipeline.upstream import Upstream
    from quartzlens.records import Fingerprint
    from store.collection import Collection

CollectionOption = Annotated[
    Path | None,
    typer.Option(
        "-c",
        "--collection",
        help="Folder of the collection (default: QUARTZLENS_COLLECTION, else ./collection).",
        show_default=False,
    ),
]
CookiesOption = Annotated[
    Path | None, typer.Option(help="Browser's cookies to ask with (Netscape format; default: QUARTZLENS_COOKIES).")
]
ProxyOption = Annotated[
    str | None, typer.Option(help="Ask through http://[USER:PASSWORD@]HOST:PORT (default: QUARTZLENS_PROXY).")
]
SearchDevice = Annotated[
    str | None,
    typer.Option(
        help="Search on cpu or cuda; auto takes a card where there is one (default: QUARTZLENS_DEVICE, else auto).",
        show_default=False,
    ),
]
ID_COLUMNS = frozenset({"id", "copy of", "example"})
_ENDLESS = 1_000_000
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def collection_folder(flag: Path | None) -> Path:
    """Folder of the collection: the flag, else QUARTZLENS_COLLECTION, else ./collection."""
    from quartzlens.config import load_settings

    return load_settings(collection=flag).collection


def open_existing(flag: Path | None, device: str | None = None) -> "Collection":
    """The collection of a command that does not make one, searched on a device (None: as the settings say).

    Raises CollectionError with what to do where there is none, UsageError for a device that is not there.
    """
    from quartzlens.config import load_settings
    from store import gpu
    from store.collection import open_collection

    gpu.use(device or load_settings().device)
    return open_collection(collection_folder(flag))


def fingerprint_of(collection: "Collection") -> "Fingerprint":
    """Fingerprint of the collection's embeddings.

    Raises
    ------
    NotEnoughDataError
        Nothing is embedded yet.
    """
    from store.collection import current_fingerprint

    fingerprint = current_fingerprint(collection)
    if fingerprint is None:
        raise NotEnoughDataError(
            f"{collection.folder} holds no embeddings yet: run `quartzlens ingest SOURCE -c {collection.folder}`."
        )
    return fingerprint


def cookie_file(flag: Path | None) -> Path | None:
    """The file of cookies to download with: the flag, else QUARTZLENS_COOKIES, else none.

    Raises
    ------
    UsageError
        It is not there, or not of the Netscape format.
    """
    from pipeline.cookies import check_cookies
    from quartzlens.config import load_settings

    cookies = load_settings(cookies=flag).cookies
    if cookies is not None:
        check_cookies(cookies)
    return cookies


def proxy_of(flag: str | None) -> "Upstream | None":
    """The proxy to download through: the flag, else QUARTZLENS_PROXY, else none.

    Raises
    ------
    UsageError
        It is not the address of one.
    """
    from pipeline.upstream import upstream_of
    from quartzlens.config import load_settings

    proxy = load_settings(proxy=flag).proxy.get_secret_value()
    return upstream_of(proxy) if proxy else None


def fetch_options(
    incoming_folder: Path,
    media_folder: Path | None = None,
    cookies: Path | None = None,
    proxy: "Upstream | None" = None,
) -> "FetchOptions":
    """Where downloads and media go (None: no media is kept), with the politeness of the settings.

    ``proxy`` None is that of the settings; UsageError where that is none.
    """
    from pipeline.fetch import FetchOptions
    from quartzlens.config import load_settings

    settings = load_settings()
    return FetchOptions(
        incoming_folder,
        settings.pause_seconds,
        settings.allowed_hosts,
        cookies=cookies,
        proxy=proxy or proxy_of(None),
        media_folder=media_folder,
    )


def known(cell: Any) -> Any:
    """A table's cell, a missing number as None: for JSON and for people."""
    return None if cell != cell else cell  # noqa: PLR0124 -- NaN alone differs from itself


def show_json(value: Any) -> None:
    """Print one JSON document; what is no UTF-8 in the name of a file becomes ``?``, what is no number null."""
    text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, indent=2)
    typer.echo(text.encode("utf-8", "replace").decode())


def _finite(value: Any) -> Any:
    """The value with None for NaN and infinity, which JSON does not have and strict readers refuse."""
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def say(sentence: str) -> None:
    """Print a line that may name what strangers wrote: a category, a title; without control characters."""
    typer.echo(shown(sentence))


def show_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None, *, empty: str = ""
) -> None:
    """Print a table; cells and heads are shown as they are, never read as markup.

    Ids are whole, to be copied; where no terminal reads along, a row is one line, to be searched through. ``empty`` is
    said in place of a table without rows.
    """
    if empty and not rows:
        typer.echo(empty)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(Text(shown(column)), overflow="fold", no_wrap=column in ID_COLUMNS)
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else _ENDLESS).print(table)


def shown(cell: object) -> str:
    """A value as text for a terminal: in one line, without control characters, None as nothing."""
    text = f"{cell:.3f}" if isinstance(cell, float) else "" if cell is None else str(cell)
    return one_line(text)


def outcome_counts(outcomes: Mapping[str, int]) -> str:
    """Outcomes in one line, most frequent first: ``ok 40, no_audio 2``."""
    return (
        ", ".join(f"{name} {count}" for name, count in sorted(outcomes.items(), key=lambda pair: -pair[1]))
        or "nothing yet"
    )

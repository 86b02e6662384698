"""``quartzlens check``: whether a collection is sound, and repairing what is not."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from quartzlens.cli.common import CollectionOption, JsonOption, collection_folder, show_json, show_table
from quartzlens.cli.progress import ProgressKind, saying

if TYPE_CHECKING:
    from store.findings import Finding
    from store.mending import Mended

_SHOWN = 50
Repair = Annotated[bool, typer.Option("--repair", help="Repair what can be derived; say what is lost.")]


def check(
    collection: CollectionOption = None,
    repair: Repair = False,
    json_: JsonOption = False,
    progress: ProgressKind = "auto",
) -> None:
    """Look at everything that is kept: the catalog, embeddings, search, words, media and runs.

    Nothing is written without --repair, and an ingest may go on meanwhile. Exit code 0 where all is sound, 1 where
    something is wrong. What --repair drops is made anew by the next ingest; what cannot be derived is named.

    Example: quartzlens check -c my-collection
    """
    from store.checking import check as checked
    from store.checking import is_sound
    from store.mending import mend

    folder = collection_folder(collection)
    with saying(progress, shown=not json_) as say:
        mended = mend(folder, say) if repair else None
        findings = mended.left if mended else checked(folder, say)
    if progress == "json":
        typer.echo(json.dumps({"summary": _as_json(findings, mended)}))
    elif json_:
        show_json(_as_json(findings, mended))
    else:
        _show(findings, mended)
    if not is_sound(findings):
        raise typer.Exit(1)


def _as_json(findings: "Sequence[Finding]", mended: "Mended | None") -> dict[str, object]:
    from store.checking import is_sound

    rows = [
        {"severity": one.severity, "what": one.what, "where": one.where, "advice": one.advice, "repair": one.repair}
        for one in findings
    ]
    told: dict[str, object] = {"sound": is_sound(list(findings)), "findings": rows}
    return {**told, "repaired": mended.done, "lost": mended.lost} if mended else told


def _show(findings: "Sequence[Finding]", mended: "Mended | None") -> None:
    from store.checking import is_sound

    if mended:
        for line in mended.done:
            typer.echo(f"Repaired: {line}.")
        for line in mended.lost:
            typer.echo(f"Lost: {line}.")
    if findings:
        rows = [(one.severity, one.where, one.what, one.advice) for one in findings[:_SHOWN]]
        show_table(("", "where", "what", "what to do"), rows)
    if len(findings) > _SHOWN:
        typer.echo(f"And {len(findings) - _SHOWN} more: --json lists all.")
    typer.echo("All is sound." if is_sound(list(findings)) else "Something is wrong: see above.")

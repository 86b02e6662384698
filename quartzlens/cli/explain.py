"""``quartzlens explain``: why one video was judged as it was."""

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quartzlens.cli.common import (
    CollectionOption,
    JsonOption,
    fingerprint_of,
    known,
    open_existing,
    say,
    show_json,
    show_table,
)
from quartzlens.cli.copies import copies_in
from quartzlens.errors import NotEnoughDataError, UsageError

if TYPE_CHECKING:
    from analysis.evaluation import Evaluation
    from analysis.evidence import Evidence
    from store.base import Store
    from store.collection import Collection

RunOption = Annotated[str | None, typer.Option("--run", help="An evaluation's id (default: the latest).")]


def explain(
    video_id: Annotated[
        str,
        typer.Argument(metavar="ID", help="Of a video that was judged, or its file or link; after -- if it begins so."),
    ],
    collection: CollectionOption = None,
    run: RunOption = None,
    json_: JsonOption = False,
) -> None:
    """Tell why a video was judged as it was: the verdict, the seconds, the neighbours, the label's quality.

    Example: quartzlens explain demo-006-113cda51 -c my-collection
    """
    from analysis.evidence import evidence
    from analysis.evidence_background import background

    with open_existing(collection) as opened:
        run_id, evaluation = evaluation_of(opened, run)
        store, used = opened.store, fingerprint_of(opened)
        video_id = _id_of(store, video_id)
        known = background(store, used, evaluation, copies_in(opened))
        found = evidence(evaluation, video_id, store, used, known)
        video = next(iter(opened.store.videos([video_id])), None)
    if json_:
        show_json({"run": run_id, "title": video.title if video else None, **as_json(found)})
        return
    _show(found, video.title if video else video_id, run_id)


def evaluation_of(opened: "Collection", run: str | None) -> "tuple[str, Evaluation]":
    """The evaluation of a run's id, or the latest of the collection's encoder, with its id.

    Raises
    ------
    UsageError
        No evaluation by this encoder has that id.
    NotEnoughDataError
        None was made yet.
    """
    from analysis.evaluation import latest_evaluation, read_evaluation

    fingerprint = fingerprint_of(opened)
    if run is None:
        found = latest_evaluation(opened.store, fingerprint)
        if found is None:
            raise NotEnoughDataError(f"Nothing was evaluated yet: run `quartzlens evaluate -c {opened.folder}`.")
        return found[0].id, found[1]
    for kept in opened.store.runs(run):
        if kept.kind == "evaluate" and kept.fingerprint_key == fingerprint.key:
            return kept.id, read_evaluation(kept)
    raise UsageError(f"There is no evaluation '{run}' of the embeddings in use.")


def _id_of(store: "Store", given: str) -> str:
    """The id that is given, or that of the video of the collection that a file or link leads to."""
    from pipeline.sources import read_source

    if not store.videos([given]):
        with suppress(UsageError, OSError):  # whatever is no source is taken for an id
            ids = [] if Path(given).is_dir() else [row.video_id for row in read_source(given).rows]
            return ids[0] if len(ids) == 1 and store.videos(ids) else given
    return given


def as_json(found: "Evidence") -> dict[str, Any]:
    """Evidence as JSON values; what is not known is null."""
    seen, vote = found.timeline, found.vote
    parted = seen.parted
    return {
        "id": seen.video_id,
        "category": seen.category,
        "predicted": seen.predicted,
        "verdict": {"kind": str(found.verdict.kind), "reasons": list(found.verdict.reasons)},
        "sentence": seen.sentence,
        "probabilities": seen.probabilities,
        "margin": found.margin,
        "label_quality": known(found.label_quality),
        "outlier_percentile": known(found.outlier),
        "vote": {"shares": vote.shares, "neighbours": vote.neighbours, "sides_with": vote.sides_with},
        "misleading": [list(stretch) for stretch in seen.misleading],
        "parted": None if parted is None else {"text": str(parted), "gain": parted.gain},
        "change": None if found.change is None else asdict(found.change),
        "fragments": seen.fragments.drop(columns="id").to_dict("records"),
        "nearest": found.nearest.to_dict("records"),
        "pairs": found.pairs.to_dict("records"),
        "duplicates": list(found.duplicates),
    }


def _show(found: "Evidence", title: str, run_id: str) -> None:
    seen = found.timeline
    say(f"{title} ({seen.video_id}, {run_id})")
    say(f"label {seen.category}, predicted {seen.predicted}")
    say(str(found.verdict))
    say(seen.sentence)
    for name, value in _figures(found):
        say(f"{name}: {value}")
    show_table(("category", "probability"), list(seen.probabilities.items()))
    names = list(seen.probabilities)
    columns = [name for name in seen.fragments.columns if name not in {"id", "start_seconds", "end_seconds"}]
    rows = [
        (_between(row["start_seconds"], row["end_seconds"]), *(float(row[column]) for column in columns))
        for row in seen.fragments.to_dict("records")
    ]
    show_table(("seconds", *names), rows, title="Every fragment")
    nearest = found.nearest.to_dict("records")
    cells = [(row["side"], row["id"], row["category"], row["similarity"], row["percentile"]) for row in nearest]
    show_table(("side", "id", "category", "similarity", "percentile"), cells, title="Nearest of other groups")
    pairs = [
        (
            _between(row["start_seconds"], row["end_seconds"]),
            row["id"],
            row["category"],
            _between(row["other_start_seconds"], row["other_end_seconds"]),
            row["similarity"],
        )
        for row in found.pairs.to_dict("records")
    ]
    show_table(("seconds", "id", "category", "its seconds", "similarity"), pairs, title="Fragments that match best")


def _figures(found: "Evidence") -> list[tuple[str, str]]:
    vote = ", ".join(f"{name} {share:.2f}" for name, share in found.vote.shares.items()) or "none"
    return [
        ("margin", f"{found.margin:.2f}"),
        ("label quality", f"{found.label_quality:.2f}"),
        (f"vote of {found.vote.neighbours} neighbours", f"{vote} (sides with {found.vote.sides_with})"),
        ("farther off than", f"{found.outlier:.0f} % of the videos"),
        ("the same sound as", ", ".join(found.duplicates) or "no other video"),
    ]


def _between(start: float, end: float) -> str:
    return f"{start:.0f}-{end:.0f}"

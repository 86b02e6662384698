"""``quartzlens report``: a run as one HTML file that opens anywhere, with the sound of its worst confusions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quartzlens.cli.common import CollectionOption, fingerprint_of, open_existing
from quartzlens.cli.progress import ProgressKind, saying
from quartzlens.cli.writing import checked_target, write_text
from quartzlens.errors import UsageError

if TYPE_CHECKING:
    from dashboard.report_subject import Subject
    from store.collection import Collection

_MOST_EACH = 20
_MB = 1_000_000


def report(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File to write: .html.")],
    collection: CollectionOption = None,
    run: Annotated[str, typer.Option(help="Id of an evaluation, or the last.")] = "last",
    confusions: Annotated[int, typer.Option(min=0, max=_MOST_EACH, help="How many confusions, the worst first.")] = 3,
    videos: Annotated[int, typer.Option(min=1, max=_MOST_EACH, help="How many videos of each, the surest first.")] = 3,
    sound: Annotated[bool, typer.Option(help="Put the sound of these videos into the file.")] = True,
    yes: Annotated[bool, typer.Option("--yes", "--force", help="Write over a file that is there.")] = False,
    progress: ProgressKind = "auto",
) -> None:
    """Write a run as one HTML file: its figures, its worst confusions, and what misled it there, to be heard.

    Example: quartzlens report report.html -c my-collection
    """
    from dashboard.report import written
    from dashboard.report_subject import MOST_VIDEOS, Asked
    from pipeline.excerpt import Excerpts

    if confusions * videos > MOST_VIDEOS:
        raise UsageError(
            f"{confusions} confusions with {videos} videos each are too many for one page: "
            f"{MOST_VIDEOS} videos in all at most."
        )
    target = checked_target(out, (".html",), yes=yes)
    with open_existing(collection) as opened, saying(progress) as tell, Excerpts() as excerpts:
        tell("comparing the videos")
        subject = _subject(opened, None if run == "last" else run)
        write_text(target, written(subject, Asked(confusions, videos, sound), excerpts.cut, tell))
    if progress != "json":
        typer.echo(f"{target.stat().st_size / _MB:.1f} MB in {out}, of {subject.run.id}.")


def _subject(collection: "Collection", run_id: str | None) -> "Subject":
    """A run of the collection with all that its report tells of."""
    from analysis.copies_kept import kept_copies
    from analysis.evaluation import read_evaluation
    from analysis.evidence import background
    from analysis.evidence_table import encoder_of
    from analysis.exports import evaluation_of
    from dashboard.report_subject import Subject

    store = collection.store
    run = evaluation_of(store, fingerprint_of(collection), run_id)
    fingerprint, evaluation = encoder_of(store, run), read_evaluation(run)
    copies = kept_copies(store, fingerprint, collection.index_folder)
    return Subject(
        collection.folder.resolve().name,
        store,
        run,
        evaluation,
        fingerprint,
        background(store, fingerprint, evaluation, copies),
        store.videos(),
        collection.media_folder,
        collection.encoder.checkpoint,
    )

"""``quartzlens backup`` and ``quartzlens restore``: copies of whole collections."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quartzlens.cli.common import CollectionOption, collection_folder
from quartzlens.figures import how_many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.backup import Backup

Target = Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the copy: a new one, or an earlier backup.")]
Source = Annotated[Path, typer.Argument(metavar="BACKUP", help="Folder that `quartzlens backup` made.")]
Yes = Annotated[bool, typer.Option("--yes", help="Move the collection that is there aside, and put the backup there.")]
_NAMED = 10


def backup(target: Target, collection: CollectionOption = None) -> None:
    """Copy a collection, also while an ingest writes to it: as it is at one moment, and checked at the end.

    On the same disk media are not copied but get a second name. Search indexes are left out: they are made anew.
    Into the folder of an earlier backup only what is new is copied. A copy that was cut off is not taken for one.
    Files that the collection has lost are kept from the earlier backup, and named. Where the catalog names files that
    are nowhere, all else is copied, they are named, and the exit code is 1.

    Example: quartzlens backup /mnt/backups/my-collection -c my-collection
    """
    from quartzlens.cli.progress import quiet_line
    from store.backup import back_up

    folder = collection_folder(collection)
    with quiet_line() as say:
        made = back_up(folder, target, say)
    rows = ", ".join(f"{count:,} {table}" for table, count in made.rows.items())
    what = "a copy of {}, but not a whole one" if made.missing else "a whole copy of {}"
    typer.echo(f"{target} is {what.format(folder)}: {rows}, and {made.files:,} files.")
    typer.echo(f"To put it back: quartzlens restore {target} -c {folder} --yes")
    _tell_losses(made, target, folder)
    if made.missing:
        raise typer.Exit(1)


def _tell_losses(made: "Backup", target: Path, folder: Path) -> None:
    """Say what the collection has lost, and how it is had again."""
    if made.taken:
        lost = how_many(len(made.taken), "file that the earlier backup had", "files that the earlier backup had")
        typer.echo(
            f"{folder} has lost {lost}: {_some(made.taken)}. {target} keeps what was lost: copy it from there to the "
            "same place in the collection, or put all of the backup back as above.",
            err=True,
        )
    if made.missing:
        lost = how_many(len(made.missing), "file that the catalog names is", "files that the catalog names are")
        typer.echo(
            f"{lost} not whole in {folder}, nor in an earlier backup there: {_some(made.missing)}. Another backup may "
            f"have that; `quartzlens check -c {folder}` says how else to have it again. Then make the backup anew.",
            err=True,
        )


def _some(names: "Sequence[str]") -> str:
    more = f" and {len(names) - _NAMED:,} more, all in its backup.json" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def restore(source: Source, collection: CollectionOption = None, yes: Yes = False) -> None:
    """Put a backup in the place of a collection, which is kept aside, or into a new folder.

    Example: quartzlens restore /mnt/backups/my-collection -c my-collection --yes
    """
    from quartzlens.cli.progress import quiet_line
    from store.backup import restore as restored

    folder = collection_folder(collection)
    with quiet_line() as say:
        before = restored(source, folder, replace=yes, say=say)
    typer.echo(f"{folder} is what {source} was copied from.")
    if before is not None:
        typer.echo(f"What was there is in {before}: delete it once you do not miss anything, or put it back by")
        typer.echo(f"  rm -r {folder} && mv {before} {folder}")

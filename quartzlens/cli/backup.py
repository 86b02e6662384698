"""``quartzlens backup`` and ``quartzlens restore``: copies of whole collections."""

from pathlib import Path
from typing import Annotated

import typer

from quartzlens.cli.common import CollectionOption, collection_folder

Target = Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the copy: a new one, or an earlier backup.")]
Source = Annotated[Path, typer.Argument(metavar="BACKUP", help="Folder that `quartzlens backup` made.")]
Yes = Annotated[bool, typer.Option("--yes", help="Move the collection that is there aside, and put the backup there.")]


def backup(target: Target, collection: CollectionOption = None) -> None:
    """Copy a collection, also while an ingest writes to it: as it is at one moment, and checked at the end.

    On the same disk media are not copied but get a second name. Search indexes are left out: they are made anew.
    Into the folder of an earlier backup only what is new is copied. A copy that was cut off is not taken for one.

    Example: quartzlens backup /mnt/backups/my-collection -c my-collection
    """
    from quartzlens.cli.progress import quiet_line
    from store.backup import back_up

    folder = collection_folder(collection)
    with quiet_line() as say:
        made = back_up(folder, target, say)
    rows = ", ".join(f"{count:,} {table}" for table, count in made.rows.items())
    typer.echo(f"{target} is a whole copy of {folder}: {rows}, and {made.files:,} files.")
    typer.echo(f"To put it back: quartzlens restore {target} -c {folder} --yes")


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

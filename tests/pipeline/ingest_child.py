"""An ingest in a process of its own, to be killed: ``python -m tests.pipeline.ingest_child LIST COLLECTION``."""

import sys
from pathlib import Path

from pipeline import runner
from pipeline.fetch import FetchOptions
from pipeline.sources import read_source
from store.collection import EncoderChoice, ingest_lock, open_collection
from tests.pipeline.standin import StandInEncoder


def main(list_path: str, folder: Path) -> None:
    """Ingest a list as the command line does, with the stand-in encoder."""
    encoder = StandInEncoder(delay_seconds=0.04)
    with open_collection(folder, create=EncoderChoice(checkpoint="stand-in")) as collection, ingest_lock(folder):
        one = read_source(list_path)
        collection.store.add_rows(one.name, one.rows, one.bad_rows)
        videos = runner.to_try(collection.store, encoder.fingerprint)
        options = FetchOptions(folder / ".incoming", media_folder=collection.media_folder)
        runner.BATCH_SECONDS = 0.1
        runner.ingest(collection.store, encoder, videos, options)


main(sys.argv[1], Path(sys.argv[2]))

"""Answers at once in the place of a worker's real work; it is all that a worker process imports for them."""

from pathlib import Path

import numpy as np

from pipeline.download import Downloaded
from pipeline.prepare import Prepared
from quartzlens.records import Media

N_SAMPLES = 960_000


def prepared(
    path: Path, video_id: str, start_seconds: float, clip_seconds: float, media_folder: Path | None, *_: object
) -> Prepared:
    """A minute of sound at once, in the place of ``prepare_file`` in a worker process."""
    del path, video_id, start_seconds, clip_seconds, media_folder
    return Prepared(np.zeros(N_SAMPLES, np.float32), Media(60.0, 60.0, -20.0, "aac", 44100))


def downloaded(link: str, folder: Path, video_id: str, *_: object, **__: object) -> Downloaded:
    """A file at once, in the place of ``download`` in a worker process."""
    path = folder / f"{video_id}.m4a"
    path.touch()
    return Downloaded(path, title=link)

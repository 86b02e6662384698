"""Embedding a collection anew from its kept media, offline, beside what it has."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.ahead import ahead
from pipeline.calibration import spread
from pipeline.encoder import Encoder, encode
from pipeline.fetch import Fetcher
from pipeline.work import Refused
from quartzlens.outcomes import Outcome
from quartzlens.records import Result, Video
from store.base import Store

_REENCODED = ".ogg"  # what ``keep_media`` encodes anew it writes as Opus in Ogg
_COPIED_TO_OGG = ("opus", "vorbis")
MEASURED = 20


@dataclass(frozen=True, slots=True)
class Sources:
    """``kept`` are videos to embed, with their kept media as source; ``missing`` those whose media is not there."""

    kept: tuple[Video, ...]
    missing: tuple[Video, ...]

    def without(self, ids: Collection[str]) -> "Sources":
        """All but the videos of these ids."""
        kept, missing = ((video for video in some if video.id not in ids) for some in (self.kept, self.missing))
        return Sources(tuple(kept), tuple(missing))


def sources(store: Store, media_folder: Path) -> Sources:
    """The videos that are ok."""
    due = [video for video in store.videos() if video.outcome is Outcome.OK]
    kept = [replace(video, source=str(path.absolute())) for video in due if (path := _kept_file(video, media_folder))]
    there = {video.id for video in kept}
    return Sources(tuple(kept), tuple(video for video in due if video.id not in there))


def _kept_file(video: Video, media_folder: Path) -> Path | None:
    name = video.media.media_file if video.media else None
    path = media_folder / name if name and Path(name).name == name else None
    return path if path is not None and path.is_file() else None


class Beside:
    """Commits embeddings alone: a video's outcome, media and titles stay as its ingest left them.

    ``failed`` collects the results of videos whose kept media could not be embedded, ``n_embedded`` counts the others.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.failed: list[Result] = []
        self.n_embedded = 0

    def commit(self, results: Sequence[Result]) -> None:
        """Keep what was embedded, in one transaction."""
        self.failed += [result for result in results if result.outcome is not Outcome.OK]
        kept = [replace(result, media=None) for result in results if result.outcome is Outcome.OK]
        if kept:
            self._store.commit(kept)
            self.n_embedded += len(kept)


def reencoded(videos: Collection[Video]) -> list[Video]:
    """Those of the videos whose kept media is not a copy of the source's packets but was encoded anew."""
    return [
        video
        for video in videos
        if video.media and Path(video.source).suffix == _REENCODED and video.media.codec not in _COPIED_TO_OGG
    ]


def differences(store: Store, encoder: Encoder, videos: Sequence[Video], fetcher: Fetcher) -> Iterator[float]:
    """Cosine between what ``encoder`` made of a source and what it makes of the kept media, for a spread of 20 videos.

    ``videos`` have their kept media as source. Left out are those without an embedding by ``encoder``, and those whose
    embedding was made of the kept media itself: the same bits.
    """
    held = store.embeddings(encoder.fingerprint, {video.id for video in videos})
    before = dict(zip(held.ids, held.matrix, strict=True))
    measured = spread([video for video in videos if video.id in before], MEASURED)
    with closing(ahead(fetcher.fetch, measured, fetcher.ahead)) as arrivals:
        for video, arrival in arrivals:
            if not isinstance(arrival, Refused):
                now, then = encode(encoder, arrival.audio).embedding, before[video.id]
                if not np.array_equal(now, then):
                    yield float(now @ then / (np.linalg.norm(now) * np.linalg.norm(then)))

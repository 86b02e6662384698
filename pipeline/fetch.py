"""From a video's source to a clip ready for the encoder, in worker processes that may crash without harm."""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Self

from pipeline.asking import Asker, AskOptions
from pipeline.identity import damaged, is_link
from pipeline.pace import OnWait
from pipeline.pool import Pool
from pipeline.prepare import Prepared, prepare_file
from pipeline.work import Refused, work
from quartzlens.cores import cores
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Fingerprint, Video

DECODE_BYTES = 3 << 30
MAX_DECODERS = 4


def usual_decoders() -> int:
    """How many files are decoded at a time where nobody says: one a core, at most 4."""
    return min(MAX_DECODERS, cores())


@dataclass(frozen=True, slots=True)
class FetchOptions(AskOptions):
    """How sites are asked, and what is done with a file.

    ``media_folder`` None keeps no media, and without ``keep_audio`` it takes pictures alone; ``decoders`` is how many
    files are decoded at a time; ``cut`` says that the sources are clips already: they begin with the first second
    wanted.
    """

    media_folder: Path | None = field(default=None, kw_only=True)
    keep_audio: bool = field(default=True, kw_only=True)
    decoders: int = field(default_factory=usual_decoders, kw_only=True)
    cut: bool = field(default=False, kw_only=True)


class Fetcher:
    """Long-lived worker processes, one that downloads and some that decode; a context manager that ends them.

    ``fetch`` may be called by many threads at once. ``on_wait`` hears, in one of them, of each wait before a download,
    and when it is over.
    """

    def __init__(self, fingerprint: Fingerprint, options: FetchOptions, on_wait: OnWait = lambda _: None) -> None:
        self._start_seconds = 0.0 if options.cut else fingerprint.start_seconds
        self._clip_seconds = fingerprint.clip_seconds
        self._options = options
        self.asker = Asker(options, on_wait)
        self._decoders = Pool(max(1, options.decoders), DECODE_BYTES)
        if options.media_folder is not None:
            options.media_folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def ahead(self) -> int:
        """How many videos to fetch at a time, so that each decoder has work while its last clip waits to be taken."""
        return 2 * max(1, self._options.decoders)

    def close(self) -> None:
        """End all workers at once, whatever they are doing; what was half downloaded goes.

        A ``fetch`` that is under way in another thread ends with ClosedError or as refused, and starts nothing more.
        """
        self._decoders.close()
        self.asker.close()

    def fetch(self, video: Video) -> Prepared | Refused:
        """Bring one video to a decoded clip, or say why not; never raises for what a single link or file does.

        Raises
        ------
        BlockedError
            The video is a link, and the last 3 downloads of a patient fetcher were taken for a bot's; nothing was
            asked.
        ClosedError
            After ``close``.
        """
        reason = damaged(video.source)
        if reason:
            return Refused(Outcome.DAMAGED_LINK, Stage.SOURCE, reason)
        return self._from_link(video) if is_link(video.source) else self._from_file(video, Path(video.source))

    def _from_link(self, video: Video) -> Prepared | Refused:
        from pipeline.download import clear, download

        first_seconds = self._start_seconds + self._clip_seconds
        function = partial(download, picture=self._options.media_folder is not None)
        arrived = self.asker.ask(function, video.source, self._options.incoming_folder, video.id, first_seconds)
        if isinstance(arrived, Refused):
            clear(self._options.incoming_folder, video.id)  # what a worker that was killed could not
            return arrived
        try:
            prepared = self._from_file(video, arrived.path, arrived.picture)
        finally:
            arrived.path.unlink(missing_ok=True)
            if arrived.picture is not None:
                arrived.picture.unlink(missing_ok=True)
        if isinstance(prepared, Refused):
            return prepared
        return replace(prepared, title=arrived.title, channel=arrived.channel)

    def _from_file(self, video: Video, path: Path, picture: Path | None = None) -> Prepared | Refused:
        stretch, options = (self._start_seconds, self._clip_seconds), self._options
        kept = (options.media_folder, options.keep_audio, picture)
        return work(Stage.DECODE, self._decoders, prepare_file, path, video.id, *stretch, *kept)

"""What the decode worker does with one file: decode the clip, and keep what the dashboard plays and shows."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.decode import SAMPLE_RATE_HZ, Refusal, decode
from pipeline.media import keep_media
from quartzlens.records import Media


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A clip ready for the encoder: audio (n,) float32 at 16 kHz and the facts about it.

    Title and channel where a site told them.
    """

    audio: NDArray[np.float32]
    media: Media
    title: str = ""
    channel: str | None = None


def prepare_file(
    path: Path,
    video_id: str,
    start_seconds: float,
    clip_seconds: float,
    media_folder: Path | None,
    keep_audio: bool = True,
    site_picture: Path | None = None,
) -> Prepared | Refusal:
    """Decode a file and keep its media under ``media_folder`` (None: keep nothing; without audio: the picture alone).

    ``site_picture`` is what its site sent as the video's picture, for where the file has none.
    The media is in place before the video's row commits, so a committed video always has it; what a killed process
    leaves without a row is overwritten by the next try.
    """
    decoded = decode(path, start_seconds, clip_seconds)
    if isinstance(decoded, Refusal):
        return decoded
    kept: tuple[str | None, str | None] = None, None
    if media_folder:
        heard_seconds = len(decoded.audio) / SAMPLE_RATE_HZ if decoded.intact else None
        kept = keep_media(
            path, media_folder, video_id, start_seconds, clip_seconds, heard_seconds,
            keep_audio=keep_audio, site_picture=site_picture,
        )  # fmt: skip
    media = Media(
        source_seconds=decoded.source_seconds,
        clip_seconds=len(decoded.audio) / SAMPLE_RATE_HZ,
        loudness_dbfs=decoded.loudness_dbfs,
        codec=decoded.codec,
        sample_rate_hz=decoded.sample_rate_hz,
        silent=decoded.silent,
        media_file=kept[0],
        thumbnail_file=kept[1],
    )
    return Prepared(decoded.audio, media)

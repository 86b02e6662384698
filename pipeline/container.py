"""Opening media from strangers: which files may be opened at all, and by which demuxers."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer

from pipeline.identity import absolute
from quartzlens.outcomes import Outcome

# Demuxers that read one file and nothing else. FFmpeg finds the format by content, and some formats (hls, concat, dash,
# sdp, imf, vobsub) open what they name: they are not here.
DEMUXERS = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dts,dtshd,eac3,flac,flv,loas,matroska,mov,mp3,mpeg,mpegts,mxf,ogg,"
    "truehd,tta,voc,w64,wav,wv"
)
_OPTIONS = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file"}
_HEAD_BYTES = 4096
_REFERENCES = {
    b"#extm3u": "an HLS or M3U playlist",
    b"ffconcat": "a concat script",
    b"v=0": "an SDP session description",
    b"[playlist]": "a PLS playlist",
    b"[reference]": "a reference to other media",
    b"<asx": "an ASX playlist",
    b"<smil": "a SMIL presentation",
}
_XML_REFERENCES = (b"<mpd", b"<playlist", b"<smil", b"<smoothstreamingmedia", b"<assetmap", b"<compositionplaylist")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing comes of a video: its outcome, and the words for it.

    ``final`` where another try now would end alike; ``retry_after_seconds`` is what the site asks to wait.
    """

    outcome: Outcome
    detail: str
    final: bool = False
    retry_after_seconds: float | None = None


def refusal_of_file(path: Path) -> Refusal | None:
    """Why a file may not be opened as media; None where it may. Nothing but the file itself is touched.

    Refused are symbolic links out of the file's own folder, pipes and devices, and text that sends a player to other
    files or addresses.
    """
    try:
        escaped = _escapes(path)
        kind = path.stat().st_mode
        if not stat.S_ISDIR(kind) and not stat.S_ISREG(kind):
            return Refusal(Outcome.REFUSED_FILE, "neither a file nor a folder: a pipe, socket or device")
        if escaped:
            return Refusal(Outcome.REFUSED_FILE, f"a symbolic link that leads out of its folder, to {escaped}")
        if stat.S_ISDIR(kind):
            return Refusal(Outcome.UNDECODABLE, "a folder with the name of a media file")
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except (FileNotFoundError, NotADirectoryError) as error:
        return Refusal(Outcome.MISSING_FILE, f"{error.strerror}: {path}")
    except (OSError, ValueError) as error:
        return _unreadable(path, error)
    named = _reference(head)
    return Refusal(Outcome.REFUSED_FILE, f"{named}, which names other media instead of holding any") if named else None


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """Open a file that ``refusal_of_file`` let pass, with the allowed demuxers and no protocol but ``file``.

    Raises
    ------
    av.FFmpegError
        FFmpeg knows no allowed format in it, or cannot read its header.
    ValueError
        FFmpeg has no decoder for one of its sound tracks.
    """
    with av.open(str(path), options=dict(_OPTIONS), metadata_errors="replace") as container:
        for stream in container.streams.audio:
            if stream.codec_context is None:
                raise ValueError("a sound track in a format that has no decoder")
            stream.codec_context.thread_count = 1  # threads would let one file give different bits
        yield container


def _escapes(path: Path) -> str | None:
    """Where a path really leads when that is outside of its folder; None when it stays inside."""
    given = Path(absolute(path))
    real = os.path.realpath(given)  # unlike Path.resolve it has an answer for a loop of links, which stat then refuses
    return None if Path(real).is_relative_to(os.path.realpath(given.parent)) else real


def _unreadable(path: Path, error: OSError | ValueError) -> Refusal:
    words = error.strerror if isinstance(error, OSError) else str(error)
    return Refusal(Outcome.FAILED, f"the file cannot be read: {words}: {path}")


def _reference(head: bytes) -> str | None:
    """What kind of reference a file's first bytes announce; None for what looks like none."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for mark, name in _REFERENCES.items():
        if text.startswith(mark):
            return name
    if text.startswith(b"<") and any(mark in text for mark in _XML_REFERENCES):
        return "an XML playlist"
    return None

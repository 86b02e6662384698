"""What became of the videos of an old list: a mix of every outcome, each id's drawn from the id itself."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from pipeline.identity import YOUTUBE_ID_LENGTH, is_bare_id
from quartzlens.outcomes import Outcome
from tests.pipeline.sounds import write_tone
from tests.pipeline.synth import tone, write_media
from tests.pipeline.test_download import MESSAGES
from tests.pipeline.tube import Fate

N_TONES = 12
_NOT_A_VIDEOS_OWN = {Outcome.DISK_FULL, Outcome.BLOCKED_AS_BOT}  # these end a whole ingest
PASSING = [
    Fate(Outcome.OK, file="tone_0.wav", statuses=(503,)),
    Fate(Outcome.OK, file="tone_1.wav", statuses=(503, 500)),
    Fate(Outcome.OK, file="tone_2.wav", statuses=(429,)),
    Fate(Outcome.OK, file="tone_3.wav", statuses=(403,)),
]
LASTING = [
    Fate(Outcome.NETWORK, statuses=(503,) * 99),
    Fate(Outcome.NETWORK, statuses=(404,) * 99),
    Fate(Outcome.FORBIDDEN, statuses=(403,) * 99),
    Fate(Outcome.RATE_LIMITED, statuses=(429,) * 99),
    Fate(Outcome.REFUSED_LINK, url="http://10.1.2.3/a.mp4"),
    Fate(Outcome.REFUSED_LINK, url="http://169.254.169.254/latest/meta-data"),
    Fate(Outcome.REFUSED_LINK, url="file:///etc/passwd"),
    Fate(Outcome.REFUSED_FILE, file="playlist.mp3"),
    Fate(Outcome.NO_AUDIO, file="picture.mp4"),
    Fate(Outcome.TOO_SHORT, file="short.wav"),
    Fate(Outcome.UNDECODABLE, file="text.mp4"),
    *(
        Fate(outcome, say=re.sub(r"^\[youtube\] \S+: ", "", words))
        for words, name in MESSAGES
        if (outcome := Outcome(name)) not in _NOT_A_VIDEOS_OWN
    ),
]


def write_files(folder: Path) -> list[str]:
    """Write the media of the fates; names of those in which there is something to hear, one of them only silence."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(N_TONES):
        write_tone(folder / f"tone_{number}.wav", number, 1.5 + 0.25 * number)
    write_tone(folder / "short.wav", 0, 0.5)
    write_media(folder / "silence.m4a", [0.0 * tone(2.0, 16_000)], 16_000, "aac")
    write_media(folder / "tone.mp3", [tone(3.0, 16_000)], 16_000, "libmp3lame")
    write_media(folder / "pictured.mp4", [tone(2.0, 16_000)], 16_000, "aac", picture="white")
    _write_picture(folder / "picture.mp4", folder / "pictured.mp4")
    (folder / "text.mp4").write_text("no sound at all, though it is called so. " * 100)
    (folder / "playlist.mp3").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\ntone_0.wav\n#EXT-X-ENDLIST\n")
    return [*(f"tone_{number}.wav" for number in range(N_TONES)), "silence.m4a", "tone.mp3", "pictured.mp4"]


def _write_picture(path: Path, source: Path) -> None:
    """The picture of a video, without its sound."""
    import av

    with av.open(str(source)) as both, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(both.streams.video[0])
        for packet in both.demux(both.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)


def fate_of(video_id: str, files: Sequence[str]) -> Fate:
    """The fate of an id, always the same: six of ten are there, one more after a while, the others are lost."""
    if not is_bare_id(video_id) or len(video_id) < YOUTUBE_ID_LENGTH:
        return Fate(Outcome.DAMAGED_LINK)
    drawn = int.from_bytes(hashlib.sha256(video_id.encode()).digest()[:8], "big")
    share, which = drawn % 10, drawn // 10
    if share < 6:
        return Fate(Outcome.OK, file=files[which % len(files)])
    return PASSING[which % len(PASSING)] if share == 6 else LASTING[which % len(LASTING)]


def fates_of(ids: Iterable[str], files: Sequence[str]) -> dict[str, Fate]:
    """The fates of ids."""
    return {video_id: fate_of(video_id, files) for video_id in ids}


@cache
def made_up_ids(count: int) -> tuple[str, ...]:
    """Ids as YouTube's look; some begin with a dash."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    digests = (hashlib.sha256(f"id {number}".encode()).digest() for number in range(count))
    return tuple("".join(letters[byte % 64] for byte in digest[:YOUTUBE_ID_LENGTH]) for digest in digests)

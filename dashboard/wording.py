"""Plain words for what a person reads: outcomes, and text of strangers where only Markdown is taken."""

import re
import shlex
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from quartzlens.figures import percent
from quartzlens.records import Fingerprint
from store.indexing import IndexFacts
from store.places import What

MEANINGS = {
    "ok": "embedded and kept",
    "pending": "not tried yet: the next ingest goes on with them",
    "damaged_link": "the link or the YouTube id is damaged: `quartzlens repair LIST` finds many by title",
    "private": "the owner made it private",
    "removed": "no longer there: removed by the uploader or the service",
    "geo_blocked": "not available in this country",
    "age_restricted": "needs a login to confirm an age",
    "members_only": "for members or paying viewers of the channel only",
    "not_yet": "a premiere or a live stream that is not over yet",
    "blocked_as_bot": "the service wanted a login from this address",
    "rate_limited": "too many requests: the service asked to slow down",
    "forbidden": "the service refused to hand out the media",
    "no_format": "nothing was offered for download (an old yt-dlp, or no JavaScript runtime)",
    "unsupported_link": "no known site",
    "refused_link": "refused for safety: a private address or not http(s)",
    "refused_file": "refused for safety: a playlist or a reference posing as media",
    "network": "the network failed or took too long",
    "no_audio": "it has no audio",
    "too_short": "less than one second of audio",
    "undecodable": "its audio could not be decoded",
    "missing_file": "the file is not where the list says",
    "disk_full": "no room on the disk",
    "failed": "something else went wrong; the detail says what",
}

POOLED = {"mean": "mean", "mean_std": "mean and deviation"}
_BETTER = "stt_en_quartznet15x5"
_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
_TYPOGRAPHIC = re.compile(r"(?<!\S)(<->|->|<-|--|>=|<=|~=)(?!\S)")
_JOINER = "\u2060"


def meaning(outcome: str) -> str:
    """What an outcome means, in a few words.

    >>> meaning("too_short")
    'less than one second of audio'
    """
    return MEANINGS.get(outcome, "unknown outcome")


def with_id(title: str, video_id: str) -> str:
    """A video as one of a list from which it is chosen: titles alone can be the same.

    >>> with_id("Soup", "v001"), with_id("", "v001")
    ('Soup (v001)', 'v001')
    """
    return f"{title} ({video_id})" if title else video_id


def search_words(indexes: Iterable[IndexFacts]) -> str:
    """How well the search for videos answers.

    >>> search_words([IndexFacts(What.VIDEOS, "hnsw", 1_000_000, 10**9, 0.968, False, 0)])
    'search finds 97 % of the nearest'
    """
    recall = next((one.recall for one in indexes if one.what is What.VIDEOS and one.kind == "hnsw"), None)
    return "exact search" if recall is None else f"search finds {percent(recall)} of the nearest"


def shown_command(*words: str) -> str:
    """A command of quartzlens to copy: it works in the shell that started this server, whatever that has on its PATH.

    >>> shown_command("demo", "-c", "my folder").endswith("quartzlens demo -c 'my folder'")
    True
    """
    program = Path("quartzlens")
    if shutil.which("quartzlens") is None:
        program = Path(sys.executable).parent / "quartzlens"
        if program.is_relative_to(Path.cwd()):
            program = program.relative_to(Path.cwd())
    return shlex.join([str(program), *words])


def better_checkpoint() -> str:
    """The commands that embed with NVIDIA's checkpoint instead of the demo's."""
    get = shown_command("checkpoint", "get", _BETTER)
    return f"{get}\n{shown_command('ingest', 'SOURCE', '--checkpoint', _BETTER, '-c', 'OTHER-FOLDER')}"


def plain(text: str) -> str:
    r"""Escape a stranger's text for the few places where Streamlit takes Markdown only (labels of buttons, notices).

    Every ASCII punctuation mark gets a backslash (CommonMark 0.31, section 2.4). Streamlit also replaces shortcodes of
    emoji, icons, arrows and bare links after parsing, where a backslash does not help: a word joiner breaks those.

    >>> plain("**b** [l](x)")
    '\\*\\*b\\*\\* \\[l\\]\\(x\\)'
    """
    text = " ".join(text.split())
    text = _TYPOGRAPHIC.sub(lambda found: found[0][0] + _JOINER + found[0][1:], text)
    text = re.sub(r"([:@])(?=\S)", r"\1" + _JOINER, text)
    text = re.sub(r"(?i)(www)(?=\.)", r"\1" + _JOINER, text)
    return _MARKDOWN.sub(r"\\\1", text)


def encoder_words(fingerprint: Fingerprint) -> str:
    """What embedded, in a few words (a checkpoint's name is a stranger's).

    >>> encoder_words(Fingerprint("ab" * 32, "{}", 0.0, 60.0, "mean_std", "int8", 64, "demo", block="B2"))
    'demo checkpoint, mean and deviation of block B2, int8'
    """
    name = fingerprint.checkpoint_name or fingerprint.checkpoint_sha256[:8]
    block = f"block {fingerprint.block}" if fingerprint.block else "the last block"
    pooled = POOLED.get(fingerprint.pooling, fingerprint.pooling)
    return f"{name} checkpoint, {pooled} of {block}, {fingerprint.precision}"

"""What ``ingest`` says of playlists and channels: which it reads, and how far it came."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from quartzlens.outcomes import Outcome, Retry

if TYPE_CHECKING:
    from pipeline.expansion import Reading
    from pipeline.sources import Playlist, SourceList
    from quartzlens.records import Video
    from store.base import Store

_SETTLED = frozenset({Outcome.OK, Outcome.PRIVATE})
_HIDDEN = frozenset({Outcome.PRIVATE, Outcome.MEMBERS_ONLY, Outcome.AGE_RESTRICTED})


def playlists_of(lists: Sequence["SourceList"], store: "Store") -> tuple["Playlist", ...]:
    """The playlists that sources name, and the single links that may lead to one, unless it is known what they are."""
    from pipeline.expansion import in_question
    from pipeline.sources import Playlist

    named = [playlist for one in lists for playlist in one.playlists]
    single = [one.rows[0] for one in lists if in_question(one)]
    known = {video.id for video in store.videos([row.video_id for row in single]) if _is_settled(video)}
    return (*named, *(Playlist(row.source, unsure=True) for row in single if row.video_id not in known))


def _is_settled(video: "Video") -> bool:
    """Whether a video came of a link, or never will."""
    return video.outcome is not None and (video.outcome in _SETTLED or video.outcome.retry is Retry.NEVER)


def as_json(readings: Sequence["Reading"]) -> list[dict[str, Any]]:
    """How far each playlist was read; ``outcome`` and ``detail`` say why not all of it can be."""
    return [
        {
            "source": one.name,
            "rows": len(one.rows),
            "bad_rows": len(one.bad_rows),
            "whole": one.whole,
            "outcome": one.refused and one.refused.outcome,
            "detail": one.refused.detail if one.refused else "",
        }
        for one in readings
        if not one.is_video
    ]


def say_unread(say: Callable[[str], None], readings: Sequence["Reading"]) -> None:
    """Tell of every playlist that could not be read, what to do, and how many are to be read on."""
    for one in readings:
        if one.refused:
            far = f" beyond {one.n_entries} entries" if one.n_entries else ""
            say(f"{one.name} could not be read{far}: {one.refused.outcome} ({one.refused.detail}). {_advice(one)}")
    n_open = sum(not one.whole and not one.refused for one in readings)
    if n_open:
        what = "1 playlist was" if n_open == 1 else f"{n_open} playlists were"
        say(f"{what} not read to the end: the same command reads on.")


def nothing_read(lists: Sequence["SourceList"], readings: Sequence["Reading"]) -> bool:
    """Whether the sources are playlists alone, none of which could be read."""
    unread = all(one.refused and not one.n_entries for one in readings)
    names = {one.playlist.link for one in readings}
    others = any((one.rows or one.bad_rows) and one.name not in names for one in lists)
    return bool(readings) and unread and not others


def _advice(one: "Reading") -> str:
    outcome = one.refused.outcome if one.refused else Outcome.OK
    if outcome in _HIDDEN:
        return "Whoever may see it can read it with --cookies FILE."
    return "Check the link." if outcome.retry is Retry.NEVER else "The same command tries again."

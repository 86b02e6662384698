"""An ingest as people read it: what it is going to do, and what came of it."""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quartzlens.cli.common import outcome_counts
from quartzlens.cli.rate import spoken
from quartzlens.figures import how_many

if TYPE_CHECKING:
    from pipeline.portion import Portion
    from pipeline.sources import SourceList
    from quartzlens.records import Video


def announce(
    say: Callable[[str], None], lists: Sequence["SourceList"], portion: "Portion", seconds: float, reads_on: bool
) -> None:
    """Say what the sources hold, unusable rows with what is wrong, and about how many seconds the known videos take.

    ``reads_on`` says that sites are asked for more of them.
    """
    for one in lists:
        bad = f", {len(one.bad_rows)} of them unusable" if one.bad_rows else ""
        named = f", {len(one.playlists)} of them playlists" if one.playlists else ""
        n_rows = len(one.rows) + len(one.bad_rows) + len(one.playlists)
        say(f"{one.name}: {how_many(n_rows, 'row')}{bad}{named}")
        for row in one.bad_rows[:10]:
            say(f"  row {row.number}: {row.problem}")
        if len(one.bad_rows) > 10:
            say(f"  and {len(one.bad_rows) - 10} more; see `quartzlens status --bad-rows`")
    n_due, n_now = portion.n_left, len(portion.videos)
    now = f", {n_now} of them now" if n_now < n_due else ""
    if n_due:
        say(f"{how_many(n_due, 'video')} to embed{now}, at most about {spoken(seconds)}.")
    if reads_on:
        say("Playlists are read a page at a time, each when the videos before it were taken.")
    elif not n_due:
        say("Nothing new to embed.")


def seconds_expected(encoder: Any, videos: Sequence["Video"], pause_seconds: float) -> float:
    """Upper estimate of how long videos take in this encoder, links with their pauses and damaged ids not at all."""
    from pipeline import estimate
    from pipeline.identity import damaged, is_link

    sources = [video.source for video in videos if damaged(video.source) is None]
    links = sum(map(is_link, sources))
    gflop = encoder.clip_gflop * encoder.fingerprint.clip_seconds / 60
    return estimate.seconds_expected(gflop, encoder.share_of_peak, len(sources), links, pause_seconds)


def say_end(say: Callable[[str], None], folder: Path, summary: dict[str, Any], n_left: int) -> None:
    """Say how many videos are in, and how to go on where some are left."""
    kept, outcomes = summary["outcomes"].get("ok", 0), outcome_counts(summary["outcomes"])
    verb = "is" if 1 in (kept, summary["videos"]) else "are"
    say(f"{kept} of {how_many(summary['videos'], 'video')} {verb} in {folder} ({outcomes}).")
    n_damaged = summary["outcomes"].get("damaged_link", 0)
    if sum(summary["outcomes"].values()) - kept > n_damaged:
        say(f"Why the others are not, and what to do: `{shlex.join(['quartzlens', 'status', '-c', str(folder)])}`.")
    if n_damaged:
        said = how_many(n_damaged, "link is damaged", "links are damaged")
        say(f"{said}: `quartzlens repair LIST` finds many such videos by title and channel.")
    if summary["stopped"]:
        say("Stopped; run the same command again to go on.")
    elif n_left:
        left = how_many(n_left, "video is left", "videos are left")
        say(f"Ended at the limit that was given; {left}: the same command goes on.")

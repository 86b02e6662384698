"""The evidence of one video in a report: its seconds as a strip, what speaks for what, and players of its sound."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.evidence import Evidence, evidence
from analysis.evidence_parts import Stretch, clock
from dashboard import timeline
from dashboard.report_subject import Cut, Subject
from dashboard.site_player import page_at
from dashboard.state import file_in
from dashboard.style import GREY, on_both
from quartzlens.figures import nearness
from quartzlens.records import Video

MOST_SHARES = 5
_LONGEST_SECONDS = 60.0
_TICK_SECONDS = 10.0
_LEFT_OUT = "Sound was left out of this report."
_NOT_KEPT = "Its sound is not kept in the collection."
_DAMAGED = "Its kept sound cannot be read."


@dataclass(frozen=True, slots=True)
class Player:
    """Some seconds to hear: sound as a data URI, or why there is none and the address where it can be heard."""

    name: str
    sound: str = ""
    why_not: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Maker:
    """Makes what the template shows of videos; without ``cut`` no sound is put into the page."""

    subject: Subject
    there: Mapping[str, Video]
    colours: Mapping[str, str]
    cut: Cut | None

    @property
    def _begins(self) -> float:
        """The second of each video with which its kept sound begins."""
        return self.subject.fingerprint.start_seconds

    def colour(self, category: str) -> str:
        """A category's colour, for both themes."""
        return on_both(self.colours.get(category, GREY))

    def shown(self, video_id: str) -> dict[str, Any]:
        """All that is shown of a video that the evaluation judged and the collection still has."""
        of, video = self.subject, self.there[video_id]
        found = evidence(of.evaluation, video_id, of.store, of.fingerprint, of.known)
        seen = found.timeline
        return {
            "video": video,
            "found": found,
            "picture": self._picture(video),
            "colours": [self.colour(seen.category), self.colour(seen.predicted)],
            "strip": self._strip(found),
            "shares": self._shares(seen.probabilities),
            "vote": self._shares(found.vote.shares),
            "players": self._players(video, found),
            "pair": self._pair(video, found),
        }

    def _picture(self, video: Video) -> str:
        """The kept picture as a data URI; empty where there is none."""
        kept = file_in(self.subject.media_folder, video.media.thumbnail_file if video.media else None)
        return _data_uri("image/jpeg", kept.read_bytes()) if kept else ""

    def _shares(self, shares: Mapping[str, float]) -> list[tuple[str, float, str]]:
        """The largest of them with their colours, largest first."""
        most = sorted(shares.items(), key=lambda one: -one[1])[:MOST_SHARES]
        return [(name, share, self.colour(name)) for name, share in most]

    def _strip(self, found: Evidence) -> dict[str, Any] | None:
        """Bars of every fragment, frames around what misled, and ticks, in percent; None without fragments."""
        seen = found.timeline
        if seen.fragments.empty:
            return None
        shown: Any = timeline.strip(seen, self.colours, [None] * len(seen.fragments), "", "")
        first, last = float(seen.fragments["start_seconds"].min()), float(seen.fragments["end_seconds"].max())
        length = max(last - first, 1e-3)
        frames = [(100 * (start - first) / length, 100 * (end - start) / length) for start, end in seen.misleading]
        n_ticks = int((last - first) // _TICK_SECONDS) + 1
        ticks = [(100 * at * _TICK_SECONDS / length, clock(first + at * _TICK_SECONDS)) for at in range(n_ticks)]
        return {**shown, "frames": frames, "ticks": ticks}

    def _players(self, video: Video, found: Evidence) -> list[Player]:
        """The longest stretch that misled, and all that was heard."""
        misled = max(found.timeline.misleading, key=lambda one: one[1] - one[0], default=None)
        clip_seconds = video.media.clip_seconds if video.media else 0.0
        heard = min(clip_seconds, _LONGEST_SECONDS)
        how_much = "All" if heard == clip_seconds else "The first"
        whole = self._player(video, f"{how_much} {heard:.0f} s that were heard", (self._begins, self._begins + heard))
        if misled is None or misled[1] - misled[0] > heard - 1 or not whole.sound:
            return [whole]
        name = f"{_between(misled)}, which sound like {found.timeline.predicted}"
        return [self._player(video, name, misled), whole]

    def _pair(self, video: Video, found: Evidence) -> dict[str, Any] | None:
        """The seconds that match best with a neighbour of the predicted category, else of the label; None without."""
        pairs = found.pairs[found.pairs["id"].isin(self.there)]
        if pairs.empty:
            return None
        row = pairs.iloc[int((pairs["category"] == found.timeline.predicted).to_numpy().argmax())]
        other = self.there[str(row["id"])]
        own = float(row["start_seconds"]), float(row["end_seconds"])
        theirs = float(row["other_start_seconds"]), float(row["other_end_seconds"])
        near = dict(zip(found.nearest["id"], found.nearest["percentile"], strict=True))[other.id]
        return {
            "other": other,
            "category": str(row["category"]),
            "colour": self.colour(str(row["category"])),
            "nearness": nearness(float(near)),
            "players": [
                self._player(video, f"{_between(own)} of this video", own),
                self._player(other, f"{_between(theirs)} of the other", theirs),
            ],
        }

    def _player(self, video: Video, name: str, stretch: Stretch) -> Player:
        start, end = stretch
        if self.cut is None:
            return Player(name, why_not=_LEFT_OUT, page=page_at(video.source, start))
        kept = file_in(self.subject.media_folder, video.media.media_file if video.media else None)
        if kept is None:
            return Player(name, why_not=_NOT_KEPT, page=page_at(video.source, start))
        sound = self.cut(kept, start - self._begins, end - start)
        if sound is None:
            return Player(name, why_not=_DAMAGED, page=page_at(video.source, start))
        return Player(name, sound=_data_uri("audio/ogg", sound))


def _between(stretch: Stretch) -> str:
    return f"{clock(stretch[0])} to {clock(stretch[1])}"


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"

"""How well the timeline tells two categories in one video: measured on videos that a person called of both."""

from dataclasses import dataclass

import numpy as np

from analysis.label_work import of_several
from analysis.predicting import learned_from
from analysis.weights import MODEL_FILE, load_model
from quartzlens.figures import how_many, percent
from quartzlens.records import Fingerprint, Run
from store.base import Store


@dataclass(frozen=True, slots=True)
class TimelineMeasure:
    """What a run's classifier says of the fragments of videos of several categories, none of which it learned from.

    Attributes
    ----------
    videos, fragments
        How many there are.
    right
        Share of the fragments whose most probable category is one of their video's, 0..1.
    by_chance
        What a guess among all categories has: the mean over fragments of the share of the categories that would do.
    whole
        Videos of which each category is the most probable one of some fragment.
    """

    videos: int
    fragments: int
    right: float
    by_chance: float
    whole: int

    @property
    def sentence(self) -> str:
        """All of it in words."""
        return (
            f"Of the {how_many(self.fragments, 'fragment')} of {how_many(self.videos, 'video')} that a person called "
            f"of several categories, {percent(self.right)} sound most like one of theirs (a guess: "
            f"{percent(self.by_chance)}); in {self.whole:,} of {self.videos:,} each of them is heard somewhere."
        )


def timeline_measure(store: Store, run: Run, fingerprint: Fingerprint) -> TimelineMeasure | None:
    """Measure the timeline of a run's classifier; None where it kept none, or nobody called a video of several.

    These videos are in no fold, so the classifier judges them that learned from all others.

    Raises
    ------
    CollectionError
        The classifier that was kept is damaged.
    """
    if MODEL_FILE not in run.files:
        return None
    model, learned = load_model(run), learned_from(store, run)
    known = {
        video_id: frozenset(names)
        for video_id, names in of_several(store).items()
        if video_id not in learned and set(names) <= set(model.categories)
    }
    pieces = store.fragments(fingerprint, known.keys()) if known else None
    if pieces is None or not len(pieces.ids):
        return None
    likeliest = np.array(model.categories, dtype=object)[model.predict(pieces.matrix)]
    right = [name in known[video_id] for video_id, name in zip(pieces.ids, likeliest, strict=True)]
    by_chance = [len(known[video_id]) / len(model.categories) for video_id in pieces.ids]
    heard: dict[str, set[str]] = {video_id: set() for video_id in pieces.ids}
    for video_id, name in zip(pieces.ids, likeliest, strict=True):
        heard[video_id].add(str(name))
    whole = sum(known[video_id] <= names for video_id, names in heard.items())
    return TimelineMeasure(len(heard), len(pieces.ids), float(np.mean(right)), float(np.mean(by_chance)), whole)

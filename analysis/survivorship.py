"""Who survived: the share of videos that were kept, by category and channel, and whether losses hit categories evenly.

What a classifier learns from is what could be embedded. Where one category loses more of its videos than another, it
hears less of it, and its figures are those of the survivors.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from analysis.splits import joined_groups
from quartzlens.outcomes import Outcome
from quartzlens.records import Json, Video

LEVEL = 0.05
FEWEST_GROUPS = 5
"""A category of fewer groups is not compared, and neither is anything where fewer lost, or kept, a video."""
BATCHES, TABLES = 11, 909
"""9,999 deals, some at a time for the sake of memory."""
_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Survival:
    """What became of the videos of one category or channel; ``name`` is None for those without.

    ``kept`` are the videos whose outcome is ok, ``pending`` those without an outcome: neither kept nor lost. ``lost``
    maps every other outcome to its videos, most frequent first.
    """

    name: str | None
    kept: int
    pending: int
    lost: Mapping[str, int]

    @property
    def n_lost(self) -> int:
        """Number of lost videos."""
        return sum(self.lost.values())

    @property
    def videos(self) -> int:
        """Number of all its videos."""
        return self.kept + self.n_lost + self.pending

    @property
    def kept_share(self) -> float | None:
        """Share of the kept in the kept and lost, 0..1; None where all are pending."""
        tried = self.kept + self.n_lost
        return self.kept / tried if tried else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the share lies with 95 % confidence (``wilson``); None where all are pending."""
        tried = self.kept + self.n_lost
        return wilson(self.kept, tried) if tried else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether categories lose videos at different rates (``compared``, sorted).

    ``p_value`` is the share of random deals of the groups over the categories that differ at least as much. ``most``
    and ``least`` are the categories whose losses stand out most to either side, by the uncertainty of their share.
    """

    compared: tuple[str, ...]
    p_value: float
    most: str
    least: str

    @property
    def differs(self) -> bool:
        """Whether the difference is more than chance explains, at the level of 5 %."""
        return self.p_value < LEVEL


@dataclass(frozen=True, slots=True)
class Survivorship:
    """Who survived of a collection.

    ``categories`` are sorted by name, ``channels`` by losses (most first, then by name); in both, videos without one
    come last. ``comparison`` is None where there is too little to say. ``sentence`` says it in plain words; it holds
    names of categories, which are strangers' text.
    """

    categories: tuple[Survival, ...]
    channels: tuple[Survival, ...]
    comparison: Comparison | None
    sentence: str

    @property
    def n_lost(self) -> int:
        """Number of lost videos in the whole collection."""
        return sum(one.n_lost for one in self.categories)

    def worst_channels(self, n: int = 10) -> tuple[Survival, ...]:
        """The channels with the most losses, at most ``n``; none that lost nothing, and not the unknown one."""
        return tuple(one for one in self.channels if one.name is not None and one.n_lost)[:n]


def survivorship(videos: Sequence[Video]) -> Survivorship:
    """Count who was kept and who was lost; the order of the videos does not matter.

    A video counts for its category where its labels agree on one, else for none.
    """
    categories = _by(videos, lambda video: video.category)
    channels = _by(videos, lambda video: video.channel or None)
    channels.sort(key=lambda one: (one.name is None, -one.n_lost))
    hidden = _channels_are_hidden(videos)
    comparison = None if hidden else _compared(videos)
    sentence = _sentence(categories, comparison, hidden=hidden)
    return Survivorship(tuple(categories), tuple(channels), comparison, sentence)


def _channels_are_hidden(videos: Iterable[Video]) -> bool:
    """Whether channels are known of most kept videos, but not of most lost ones.

    So it is where a list names none and the site told them: losses of one channel then look like losses of many.
    """
    tried = [(video.outcome is Outcome.OK, video.channel is not None) for video in videos if video.outcome is not None]
    known = Counter(tried)
    return known[False, False] > known[False, True] and known[True, True] > known[True, False]


def wilson(kept: int, tried: int) -> tuple[float, float]:
    """Score interval of a share at 95 % (E. B. Wilson, JASA 22, 1927, pp. 209-212): low and high, in [0, 1].

    It takes videos as independent. Where channels hold many videos that are lost together, it is too narrow; the
    comparison of the categories minds that, the interval does not.

    >>> [round(end, 3) for end in wilson(8, 10)]
    [0.49, 0.943]
    """
    share, weight = kept / tried, _Z**2 / tried
    centre = (share + weight / 2) / (1 + weight)
    reach = (share * (1 - share) * weight + weight**2 / 4) ** 0.5 / (1 + weight)
    # At its ends the interval is exact: rounding must not part it from the share.
    return (0.0 if kept == 0 else centre - reach), (1.0 if kept == tried else centre + reach)


def as_json(found: Survivorship) -> dict[str, Json]:
    """JSON values: ``kept``, ``lost``, ``pending``, ``sentence``, ``comparison`` (null: too little), and the tables.

    ``categories`` are all, ``channels`` the ten with the most losses: ``kept``, ``lost``, ``pending``, ``kept_share``
    and its ``interval`` (null where all are pending), ``lost_by_outcome``.
    """
    return {
        "kept": sum(one.kept for one in found.categories),
        "lost": found.n_lost,
        "pending": sum(one.pending for one in found.categories),
        "sentence": found.sentence,
        "comparison": _comparison_json(found.comparison) if found.comparison else None,
        "categories": [_json("category", one) for one in found.categories],
        "channels": [_json("channel", one) for one in found.worst_channels()],
    }


def _comparison_json(one: Comparison) -> Json:
    names: list[Json] = list(one.compared)
    return {"categories": names, "p_value": one.p_value, "differs": one.differs, "most": one.most, "least": one.least}


def _json(key: str, one: Survival) -> Json:
    return {
        key: one.name,
        "kept": one.kept,
        "lost": one.n_lost,
        "pending": one.pending,
        "kept_share": one.kept_share,
        "interval": list(one.interval) if one.interval else None,
        "lost_by_outcome": dict(one.lost),
    }


def _by(videos: Iterable[Video], name_of: Callable[[Video], str | None]) -> list[Survival]:
    """What became of the videos of each name, by name, those without one last."""
    outcomes: dict[str | None, Counter[Outcome | None]] = {}
    for video in videos:
        outcomes.setdefault(name_of(video), Counter())[video.outcome] += 1
    return [_survival(name, outcomes[name]) for name in sorted(outcomes, key=lambda one: (one is None, one or ""))]


def _survival(name: str | None, outcomes: Counter[Outcome | None]) -> Survival:
    lost = {outcome.value: n for outcome, n in outcomes.items() if outcome is not None and outcome is not Outcome.OK}
    ordered = dict(sorted(lost.items(), key=lambda pair: (-pair[1], pair[0])))
    return Survival(name, outcomes[Outcome.OK], outcomes[None], ordered)


def _compared(videos: Sequence[Video]) -> Comparison | None:
    """Compare the categories that have groups enough; None where there is too little to say.

    Videos of one channel, or of one recording, are lost together more often than by chance (an account is closed, a
    country is blocked), so whole groups are dealt anew over the categories, never single videos; a group's part in
    each of its categories counts by itself, which can only hide a difference, not make one.
    """
    units: dict[tuple[str, str], Counter[bool]] = {}
    for video, group in zip(videos, joined_groups(videos), strict=True):
        if video.category is not None and video.outcome is not None:
            units.setdefault((video.category, group), Counter())[video.outcome is not Outcome.OK] += 1
    groups = Counter(category for category, _ in units)
    names = sorted(name for name, n in groups.items() if n >= FEWEST_GROUPS)
    used = [(names.index(name), one[False], one[True]) for (name, _), one in units.items() if name in names]
    losing, keeping = (sum(bool(one[at]) for one in used) for at in (2, 1))
    if len(names) < 2 or min(losing, keeping) < FEWEST_GROUPS:
        return None
    kinds = sorted({(kept, lost) for _, kept, lost in used})
    table = np.zeros((len(kinds), len(names)), dtype=np.int64)
    for column, kept, lost in used:
        table[kinds.index((kept, lost)), column] += 1
    p_value, away = _permuted(table, np.array(kinds, dtype=np.float64))
    return Comparison(tuple(names), p_value, names[int(away.argmax())], names[int(away.argmin())])


def _permuted(table: NDArray[np.int64], kinds: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Deal groups over categories at random; the p value, and how far each category is from the rest (k,).

    Groups that kept and lost as many (a row of ``kinds``) are alike, so a deal is a random table with the margins of
    ``table`` (kinds, k), groups of each kind in each category (W. M. Patefield, Applied Statistics 30, 1981, AS 159).
    """
    from scipy.stats import random_table

    rng, margins = np.random.default_rng(0), random_table(table.sum(axis=1), table.sum(axis=0))
    observed, away = _differences(table[None], kinds)
    as_far = 0
    for _ in range(BATCHES):
        dealt, _ = _differences(margins.rvs(TABLES, random_state=rng), kinds)
        as_far += int((dealt >= observed[0] * (1 - 1e-9)).sum())
    return (1 + as_far) / (1 + BATCHES * TABLES), away[0]


def _differences(
    tables: NDArray[np.int64], kinds: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How much categories differ, for each of (m, kinds, k) tables: (m,), and how far each is from the rest: (m, k).

    The heterogeneity of the categories' lost shares, each weighted by its variance between groups, as clusters of
    unequal size ask for: so studentised (E. Chung and J. P. Romano, Annals of Statistics 41, 2013, pp. 484-507), deals
    are a fairer measure than with Pearson's chi-square where large channels crowd in one category.
    """
    sizes = kinds.sum(axis=1)
    excess = kinds[:, 1] - sizes * (tables[0].sum(axis=1) @ kinds[:, 1]) / (tables[0].sum(axis=1) @ sizes)
    n = np.einsum("mtk,t->mk", tables, sizes)
    apart = np.einsum("mtk,t->mk", tables, excess) / n
    weight = n**2 / np.maximum(np.einsum("mtk,t->mk", tables, excess**2), 1e-12)
    centre = (weight * apart).sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
    away = (apart - centre) * np.sqrt(weight)
    return (away**2).sum(axis=1), away


def _sentence(every: Sequence[Survival], comparison: Comparison | None, *, hidden: bool) -> str:
    """What a person needs to know of it."""
    lost, tried = sum(one.n_lost for one in every), sum(one.kept + one.n_lost for one in every)
    if not lost:
        return "Nothing was lost." if tried else "No video was tried yet."
    if lost == tried:
        return "All videos that were tried were lost."
    whole = f"{_percent(lost / tried)} of the videos were lost"
    if hidden:
        return (
            f"{whole}. Whether that hit some categories more than others cannot be said: the channels of most lost "
            "videos are not known, and videos of one channel are lost together."
        )
    if comparison is None:
        return f"{whole}: too little to say whether that hit some categories more than others."
    chance = f"p {_p(comparison.p_value)}"
    if not comparison.differs:
        return f"{whole}, in no category more than chance explains ({chance}).{_left_out(every, comparison)}"
    shares = {one.name: 1 - (one.kept_share or 0.0) for one in every}
    most, least = comparison.most, comparison.least
    return (
        f"{most} lost {_percent(shares[most])} of its videos, {least} {_percent(shares[least])}: more than chance "
        f"explains ({chance}). A classifier trained on what is left has heard less of {most}."
        f"{_left_out(every, comparison)}"
    )


def _left_out(categories: Iterable[Survival], comparison: Comparison) -> str:
    """What was lost of categories that have too few channels to be compared; nothing where all were."""
    others = [one for one in categories if one.name is not None and one.n_lost and one.name not in comparison.compared]
    shares = ", ".join(f"{one.name} ({_percent(1 - (one.kept_share or 0.0))} lost)" for one in others)
    return f" Of too few channels to be compared: {shares}." if others else ""


def _percent(share: float) -> str:
    """A share in 0..1 for people: a few videos of many are never nothing, nor all.

    >>> _percent(0.4), _percent(0.004), _percent(0.0)
    ('40 %', '0.4 %', '0 %')
    """
    whole = share in {0.0, 1.0} or 0.01 <= share <= 0.99
    return f"{share:.{0 if whole else 1}%}".replace("%", " %")


def _p(p_value: float) -> str:
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.3f}" if p_value < 0.1 else f"= {p_value:.2f}"

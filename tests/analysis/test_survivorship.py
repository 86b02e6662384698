"""Who survived: counts that add up, intervals, and a comparison that finds what is there and little else."""

import doctest
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from analysis import survivorship as module
from analysis.survivorship import as_json, survivorship, wilson
from quartzlens.outcomes import Outcome
from quartzlens.records import Video

NAMES = st.sampled_from([None, "food", "history", "travel"])
OUTCOMES = st.sampled_from([None, Outcome.OK, Outcome.PRIVATE, Outcome.REMOVED])


@st.composite
def some_videos(draw: st.DrawFn) -> list[Video]:
    """Up to 60 videos of any category, channel and outcome; some with labels that disagree."""
    columns = st.tuples(NAMES, st.booleans(), st.sampled_from([None, *"abcdefgh"]), OUTCOMES)
    return [
        video(number, (name, "other") if name and torn else (name,) if name else (), channel, outcome)
        for number, (name, torn, channel, outcome) in enumerate(draw(st.lists(columns, max_size=60)))
    ]


def video(number: int, categories: tuple[str, ...], channel: str | None, outcome: Outcome | None) -> Video:
    """A video with only what survivorship looks at."""
    return Video(f"v{number}", "source", channel=channel, categories=categories, outcome=outcome)


def drawn(
    sizes: Mapping[str, Sequence[int]], lost: Mapping[str, float], seed: int, together: float = 0.3
) -> list[Video]:
    """Channels of these sizes in each category, each with a share of losses of its own around the category's."""
    rng, videos, spread = np.random.default_rng(seed), [], 1 / together - 1
    for category, channels in sizes.items():
        for channel, size in enumerate(channels):
            own = rng.beta(lost[category] * spread, (1 - lost[category]) * spread)
            for gone in rng.random(size) < own:
                outcome = Outcome.PRIVATE if gone else Outcome.OK
                videos.append(video(len(videos), (category,), f"{category} {channel}", outcome))
    return videos


@given(some_videos())
def test_counts_add_up_and_shares_are_shares(videos: list[Video]) -> None:
    """Kept, lost and pending are all videos, by category and by channel; each share lies in its interval in [0, 1]."""
    found = survivorship(videos)
    for groups in (found.categories, found.channels):
        assert sum(one.videos for one in groups) == len(videos)
        for one in groups:
            if one.kept_share is None or one.interval is None:
                assert one.videos == one.pending
                assert one.kept_share is one.interval
            else:
                assert 0 <= one.interval[0] <= one.kept_share <= one.interval[1] <= 1
    lost = [one for one in videos if one.outcome not in {None, Outcome.OK}]
    assert sum((Counter(one.lost) for one in found.categories), Counter()) == Counter(str(one.outcome) for one in lost)
    assert found.n_lost == len(lost)


@given(some_videos(), st.randoms(use_true_random=False))
def test_the_order_of_videos_does_not_matter(videos: list[Video], random: object) -> None:
    """Shuffled videos give the same counts, the same comparison and the same sentence."""
    shuffled = list(videos)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert survivorship(shuffled) == survivorship(videos)


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_wilsons(counts: tuple[int, int]) -> None:
    """SciPy's Wilson interval is the same."""
    ours, theirs = wilson(*counts), binomtest(*counts).proportion_ci(method="wilson")
    assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-9)


SIZES = {"food": [3] * 30, "history": [1] * 40 + [12] * 4, "travel": [2] * 45}


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_difference_is_found_and_told(seed: int) -> None:
    """A category that loses five times as many is named, with what it means for the classifier."""
    found = survivorship(drawn(SIZES, {"food": 0.5, "history": 0.1, "travel": 0.1}, seed))
    assert found.comparison is not None
    assert (found.comparison.differs, found.comparison.most) == (True, "food")
    lost = {one.name: one.n_lost / one.videos for one in found.categories}
    least = found.comparison.least
    assert found.sentence.startswith(f"food lost {lost['food']:.0%}".replace("%", " %"))
    assert f", {least} {lost[least]:.0%}".replace("%", " %") + ": more than chance explains (p " in found.sentence
    assert found.sentence.endswith("A classifier trained on what is left has heard less of food.")


CROWDED = {"food": [20] * 10, "travel": [1] * 200}


@pytest.mark.parametrize(("sizes", "at_most"), [(SIZES, 0.08), (CROWDED, 0.11)], ids=["alike", "crowded"])
def test_where_there_is_no_difference_few_are_found(
    sizes: dict[str, list[int]], at_most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 300 collections whose channels lose alike about 5 % seem to differ, though whole channels are lost together.

    Where ten large channels are all of a category it is about 8 %.
    """
    monkeypatch.setattr(module, "BATCHES", 1)
    found = [survivorship(drawn(sizes, dict.fromkeys(sizes, 0.25), seed)).comparison for seed in range(300)]
    differing = np.mean([one is not None and one.differs for one in found])
    assert 0.01 <= differing <= at_most


def test_a_closed_channel_is_not_a_difference() -> None:
    """One channel that lost all its 40 videos is one loss, not 40: its category is not said to lose more."""
    food = drawn({"food": [1] * 30}, {"food": 0.2}, 1)
    travel = [video(100 + n, ("travel",), f"t{n}", Outcome.OK if n % 5 else Outcome.REMOVED) for n in range(30)]
    closed = [video(200 + n, ("travel",), "closed", Outcome.REMOVED) for n in range(40)]
    found = survivorship([*food, *travel, *closed])
    assert found.comparison is not None
    assert not found.comparison.differs
    assert "in no category more than chance explains (p = " in found.sentence
    apart = [video(200 + n, ("travel",), f"apart {n}", Outcome.REMOVED) for n in range(40)]
    other = survivorship([*food, *travel, *apart]).comparison
    assert other is not None
    assert other.differs


def test_losses_whose_channels_nobody_knows_are_not_compared() -> None:
    """Where only the kept have channels, told by their site, closed channels would look like many losses of one."""
    videos = [
        video(number, (("food", "travel")[number // 20 % 2],), f"c{number // 10}", Outcome.OK) for number in range(400)
    ]
    gone = [replace(one, channel=None, outcome=Outcome.REMOVED) for one in videos if one.channel in {"c1", "c5", "c9"}]
    found = survivorship([one for one in videos if one.channel not in {"c1", "c5", "c9"}] + gone)
    assert found.comparison is None
    assert "cannot be said" in found.sentence
    assert survivorship([replace(one, channel=None) for one in videos[:20]]).sentence == "Nothing was lost."


def test_nothing_tried_is_not_nothing_lost() -> None:
    """A collection whose videos are all pending says so."""
    assert survivorship([video(0, ("food",), "a", None)]).sentence == "No video was tried yet."


def test_too_little_is_called_so() -> None:
    """Without two categories of five channels each, or five channels that lost, nothing is said of chance."""
    ok, gone = Outcome.OK, Outcome.PRIVATE
    few_losses = [video(n, (("food", "travel")[n % 2],), f"c{n}", gone if n < 4 else ok) for n in range(40)]
    one_category = [video(n, ("food",), f"c{n}", (gone, ok)[n % 2]) for n in range(40)]
    four_channels = [video(n, (("food", "travel")[n % 2],), f"c{n % 8}", (gone, ok)[n % 3 > 0]) for n in range(40)]
    for videos in (few_losses, one_category, four_channels):
        found = survivorship(videos)
        assert found.comparison is None
        assert found.sentence.endswith("too little to say whether that hit some categories more than others.")
        assert as_json(found)["comparison"] is None
    assert survivorship([]).sentence == "No video was tried yet."


def test_a_small_category_is_counted_and_not_compared() -> None:
    """A category of four channels has its share, and the comparison is of the others."""
    rare = [video(1000 + n, ("rare",), f"r{n}", Outcome.PRIVATE) for n in range(4)]
    found = survivorship([*drawn(SIZES, dict.fromkeys(SIZES, 0.2), 0), *rare])
    assert found.comparison is not None
    assert found.comparison.compared == ("food", "history", "travel")
    assert {one.name: one.kept_share for one in found.categories}["rare"] == 0.0
    assert found.sentence.endswith("Of too few channels to be compared: rare (100 % lost).")


def test_a_loss_of_few_is_never_told_as_none() -> None:
    """Losses of under one percent are told with a digit more."""
    videos = [video(n, (("food", "travel")[n % 2],), f"c{n}", Outcome.OK) for n in range(1000)]
    lost = [video(n, ("food",), f"c{n}", Outcome.PRIVATE) for n in range(1000, 1004)]
    assert survivorship([*videos, *lost]).sentence.startswith("0.4 % of the videos were lost: too little")


def test_where_all_are_lost_nothing_is_compared() -> None:
    """Of videos that were all lost there is no telling which categories lost more."""
    lost = [video(n, (("food", "travel")[n % 2],), f"c{n}", Outcome.PRIVATE) for n in range(40)]
    assert survivorship(lost).sentence == "All videos that were tried were lost."


def test_channels_come_by_their_losses_and_json_has_ten() -> None:
    """The channels with most losses come first; the unknown one and those without a loss are not among the worst."""
    videos = [video(100 * c + n, ("food",), f"c{c:02}", Outcome.PRIVATE) for c in range(12) for n in range(c)]
    videos += [video(9000 + n, (), None, Outcome.NETWORK) for n in range(99)]
    videos += [video(9900, ("food",), "c03", Outcome.OK), video(9901, ("food",), "c04", None)]
    found = survivorship(videos)
    assert [one.name for one in found.worst_channels()] == [f"c{c:02}" for c in range(11, 1, -1)]
    assert found.channels[-1].name is None
    told = as_json(found)
    assert (told["kept"], told["lost"], told["pending"]) == (1, 66 + 99, 1)
    assert isinstance(told["channels"], list)
    assert len(told["channels"]) == 10
    assert told["channels"][-2] == {
        "channel": "c03",
        "kept": 1,
        "lost": 3,
        "pending": 0,
        "kept_share": 0.25,
        "interval": list(wilson(1, 4)),
        "lost_by_outcome": {"private": 3},
    }


def test_json_tells_the_comparison() -> None:
    """Scripts get the p value, the categories that were compared and whether they differ."""
    told = as_json(survivorship(drawn(SIZES, {"food": 0.6, "history": 0.1, "travel": 0.1}, 0)))["comparison"]
    assert isinstance(told, dict)
    assert told["categories"] == ["food", "history", "travel"]
    assert (told["differs"], told["most"]) == (True, "food")
    assert told["p_value"] == pytest.approx(1e-4)


def test_examples() -> None:
    """The examples in the docstrings are true."""
    assert doctest.testmod(module).failed == 0

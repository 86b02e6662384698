"""Videos with the same sound are found, whatever was done to them, and nothing else is taken for one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import duplicates, same_embeddings
from analysis.dataset import load_dataset
from analysis.duplicates import COLUMNS, copies_of, duplicate_groups, hardly_compared, no_copies
from analysis.evaluation import evaluate
from analysis.same_embeddings import SAME
from quartzlens.records import Embeddings, Media, Result
from tests.analysis.made_up_collections import WHEN, filled_store, fingerprint_of, labelled_store, result, row

DIMENSION = 96
PRINT = fingerprint_of(DIMENSION)
SECONDS = 60


def sound(seed: int, seconds: int = SECONDS) -> np.ndarray:
    """What an encoder might give of each second of a sound of its own, (seconds, d)."""
    random = np.random.default_rng(seed)
    walk = np.repeat(random.normal(size=(seconds // 2 + 1, DIMENSION)), 2, axis=0)[:seconds]
    return 8.0 + random.normal(size=DIMENSION) + walk


def heard(seconds: np.ndarray) -> np.ndarray:
    """Means over fragments of 5 s, (f, d)."""
    return np.stack([seconds[i : i + 5].mean(axis=0) for i in range(0, len(seconds) - 4, 5)]).astype(np.float32)


def store_of(sounds, silent=()):
    """A store of videos with these fragments, by id."""
    ids = list(sounds)
    rows = [row(number) for number in range(1, len(ids) + 1)]
    rows = [type(r)(r.source_list, r.number, name, r.source, title=name) for r, name in zip(rows, ids, strict=True)]
    results = [result(name, sounds[name]) for name in ids]
    quiet = Media(60.0, 60.0, -90.0, "aac", 48000, silent=True)
    results = [
        Result(r.video_id, r.outcome, r.stage, WHEN, "", quiet if r.video_id in silent else r.media, r.embedded)
        for r in results
    ]
    return filled_store(rows, results)


def others(n=12, start=100):
    """Sounds that have nothing to do with each other."""
    return {f"other{i}": heard(sound(start + i)) for i in range(n)}


def groups_of(table: pd.DataFrame) -> set[frozenset[str]]:
    """Ids of each group."""
    return {frozenset(ids) for ids in table.groupby("group")["id"].apply(list)}


CHANGES = {
    "as it is": lambda s: s,
    "louder": lambda s: s + 0.7,
    "encoded anew": lambda s: s + np.random.default_rng(9).normal(scale=0.3, size=s.shape),
    "trimmed by whole fragments": lambda s: s[10:],
    "trimmed by 7 s": lambda s: s[7:],
    "its first half": lambda s: s[:30],
    "its second half": lambda s: s[30:],
    "two fragments of it": lambda s: s[20:30],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found(change):
    """A copy that is louder, noisier, trimmed or cut is in one group with its original, and nobody else is."""
    original = sound(1, 20 if change == "two fragments of it" else SECONDS)
    copy = original[5:15] if change == "two fragments of it" else CHANGES[change](original)
    table = duplicate_groups(store_of({**others(), "original": heard(original), "copy": heard(copy)}), PRINT)
    assert groups_of(table) == {frozenset({"original", "copy"})}


def test_the_table_says_what_matched_where_and_how_well():
    """A copy that begins 10 s later says so, both ways; whole fragments agree wholly."""
    original = sound(1)
    table = duplicate_groups(store_of({**others(), "copy": heard(original[10:]), "original": heard(original)}), PRINT)
    assert tuple(table.columns) == COLUMNS
    assert table[["group", "id", "copy_of", "offset_seconds", "fragments"]].to_numpy().tolist() == [
        [1, "copy", "original", 10.0, 10],
        [1, "original", "copy", -10.0, 10],
    ]
    assert table["agreement"].between(0.9999, 1.0).all()


def test_a_trim_within_a_fragment_is_placed_to_about_a_second():
    """7 s cut off are between one and two fragments: the offset says which second."""
    original = sound(1)
    table = duplicate_groups(store_of({**others(), "a": heard(original), "b": heard(original[7:])}), PRINT)
    assert table.set_index("id").loc["b", "offset_seconds"] == pytest.approx(7.0, abs=1.0)


def test_a_shared_beginning_makes_no_copy():
    """Two videos with the same first half, such as an intro, go on differently: not all aligned fragments agree."""
    one, other = sound(1), sound(2)
    other[:30] = one[:30]
    assert duplicate_groups(store_of({**others(), "one": heard(one), "other": heard(other)}), PRINT).empty


def test_alike_is_not_the_same():
    """Videos around one centre, all of one class, are no copies of each other."""
    rows = {f"rain{i}": heard(sound(200 + i) - sound(200 + i).mean(axis=0) + sound(1).mean(axis=0)) for i in range(12)}
    assert duplicate_groups(store_of(rows), PRINT).empty


def test_what_holds_nothing_to_know_it_by_is_in_no_group():
    """Silent videos, tones, what is silent but for its beginning, and zeros, short or not: none matches its like."""
    tone = np.tile(sound(5)[:1], (60, 1))
    begun = tone.copy()
    begun[:5] += 2.0
    sounds = {**others(), "s1": heard(sound(3)), "s2": heard(sound(3)), "t1": heard(tone), "t2": heard(tone)}
    sounds |= {"b1": heard(begun), "b2": heard(begun), "f1": heard(sound(4, 5)), "f2": heard(sound(4, 5))}
    sounds |= {f"z{n}": np.zeros((4 if n < 3 else 1, DIMENSION)) for n in range(1, 5)}
    found = duplicate_groups(store_of(sounds, silent=("s1", "s2", "f1", "f2")), PRINT)
    assert found.empty
    assert hardly_compared(found) == (
        "The collection has 2 videos too short for changed copies to be known and 6 videos too even for any."
    )


def test_the_same_short_sound_is_one_group():
    """A file under two names that is too short to go on is known by its embedding; one that is only like it is not."""
    short, like = (
        heard(sound(4, 5)),
        heard(sound(4, 5) + np.random.default_rng(1).normal(scale=0.2, size=(5, DIMENSION))),
    )
    found = duplicate_groups(store_of({"y": short, **others(), "like": like, "x": short * np.float32(1.001)}), PRINT)
    assert found.drop(columns="agreement").to_numpy().tolist() == [[1, "y", "x", 0.0, 1], [1, "x", "y", 0.0, 1]]
    assert found["agreement"].between(SAME, 1.0).all()
    assert hardly_compared(found) == "The collection has 3 videos too short for changed copies to be known."
    assert hardly_compared(duplicate_groups(store_of(others()), PRINT)) == ""


@pytest.mark.parametrize("at_once", [1, 2, 512])
def test_short_sounds_that_are_the_same_through_others_are_one_group(at_once, monkeypatch):
    """A turn of 0.004 leaves a vector the same, two of them do not: a row of turns is one group, however compared."""
    monkeypatch.setattr(same_embeddings, "AT_ONCE", at_once)
    turned = {}
    for name, angle in {"a": 0.0, "e": 0.012, "c": 0.004, "x": 0.0175, "b": 0.008, "far": 1.0, "a again": 0.0}.items():
        turned[name] = np.zeros((1, DIMENSION), dtype=np.float32)
        turned[name][0, :2] = np.cos(angle), np.sin(angle)
    store = store_of(turned)
    monkeypatch.setattr(store, "embeddings", lambda _, ids: Embeddings(tuple(ids), np.vstack([turned[i] for i in ids])))
    assert groups_of(duplicate_groups(store, PRINT)) == {frozenset({"a", "b", "c", "e", "a again"})}


def test_a_small_collection_of_a_video_and_its_copy():
    """Two videos are enough: the copy is found where there is nothing to compare with."""
    original = sound(1)
    noisy = original + np.random.default_rng(9).normal(scale=0.2, size=original.shape)
    assert len(duplicate_groups(store_of({"a": heard(original), "b": heard(noisy)}), PRINT)) == 2
    assert duplicate_groups(store_of({"a": heard(original), "b": heard(sound(2))}), PRINT).empty


def test_nothing_is_no_group():
    """An empty store, a single video, and videos by another encoder give a table without rows."""
    for store in (store_of({}), store_of({"a": heard(sound(1))}), labelled_store(dimension=16)):
        pd.testing.assert_frame_equal(duplicate_groups(store, PRINT), no_copies())


def test_a_chain_is_one_group_and_names_its_members():
    """The first and the second half are copies of the whole, so all three are one group, in the order of the store."""
    whole = sound(1)
    sounds = {"second": heard(whole[30:]), **others(), "first": heard(whole[:30]), "whole": heard(whole)}
    table = duplicate_groups(store_of({**sounds, "x": heard(sound(7)), "y": heard(sound(7))}), PRINT)
    assert table[["group", "id"]].to_numpy().tolist() == [
        [1, "second"], [1, "first"], [1, "whole"], [2, "x"], [2, "y"],
    ]  # fmt: skip
    assert copies_of(table, "first") == ("second", "whole")
    assert copies_of(table, "other1") == ()


def test_many_videos_are_read_and_compared_some_at_a_time(monkeypatch):
    """What is found does not hang on how many are read, drawn or compared at once."""
    sounds = {**others(30), "a": heard(sound(1)), "b": heard(sound(1)[6:])}
    whole = duplicate_groups(store_of(sounds), PRINT)
    monkeypatch.setattr(duplicates, "VIDEOS_AT_ONCE", 7)
    monkeypatch.setattr(duplicates, "ANCHORS_AT_ONCE", 5)
    monkeypatch.setattr(duplicates, "POINTS_AT_ONCE", 11)
    shares = []
    pd.testing.assert_frame_equal(duplicate_groups(store_of(sounds), PRINT, shares.append), whole)
    assert shares == sorted(set(shares))
    assert (len(shares), shares[-1]) == (13, 1.0)  # two anchors of each of 32 videos, five at once
    monkeypatch.setattr(duplicates, "SAMPLE_VIDEOS", 20)
    assert groups_of(duplicate_groups(store_of(sounds), PRINT)) == groups_of(whole)


changes = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(sorted(CHANGES)[:5])), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None)
@given(changes, st.randoms(use_true_random=False))
def test_groups_are_a_partition_that_does_not_hang_on_the_order(made, random):
    """No video is in two groups or alone in one; who matches is in the same group; any order gives the same groups."""
    sounds = others(6) | {f"copy{i}": heard(CHANGES[name](sound(100 + of))) for i, (of, name) in enumerate(made)}
    table = duplicate_groups(store_of(sounds), PRINT)
    assert table["id"].is_unique
    assert table.groupby("group").size().min() >= 2
    group_of = dict(zip(table["id"], table["group"], strict=True))
    assert all(group_of[one] == group_of[other] for one, other in zip(table["id"], table["copy_of"], strict=True))
    names = list(sounds)
    random.shuffle(names)
    assert groups_of(duplicate_groups(store_of({name: sounds[name] for name in names}), PRINT)) == groups_of(table)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 8), st.integers(1, 1000))
def test_an_exact_copy_of_any_video_makes_a_group_with_it(which, seed):
    """Whichever video is added once more, the two are found, and no others."""
    sounds = others(9, start=1000 * seed)
    table = duplicate_groups(store_of({**sounds, "again": sounds[f"other{which}"]}), PRINT)
    assert groups_of(table) == {frozenset({"again", f"other{which}"})}


def copied_collection(copies):
    """Two categories of ten channels; each of ``copies`` gives another channel's video the sound of one, changed."""
    rows = [row(n, "food" if n % 2 else "travel", f"c{n}") for n in range(1, 21)]
    sounds = {f"v{n}": sound(300 + n) for n in range(1, 21)}
    for of, to, change in copies:
        sounds[f"v{to}"] = CHANGES[change](sound(300 + of))
    return filled_store(rows, [result(name, heard(one)) for name, one in sounds.items()])


copied = st.tuples(st.integers(1, 10), st.integers(11, 20), st.sampled_from(sorted(CHANGES)[:4]))


@settings(max_examples=15, deadline=None)
@given(st.lists(copied, min_size=1, max_size=4), st.integers(0, 100))
def test_evaluation_never_splits_a_group_of_copies(copies, seed):
    """Whatever is a copy of what, over channels and categories, no group is judged by a model that heard it."""
    store = copied_collection(copies)
    found = duplicate_groups(store, PRINT)
    assert len(found) >= 2
    data = load_dataset(store, PRINT, copies=found)
    judged = evaluate(data, store.fragments(PRINT), classifier="logistic", seed=seed)
    fold_of = dict(zip(judged.predictions["id"], judged.predictions["fold"], strict=True))
    for members in groups_of(found):
        assert len({fold_of[one] for one in members}) == 1
    assert judged.metrics["copies"] == {"videos": len(found), "groups": found["group"].nunique(), "parted": 0}


def test_evaluation_keeps_the_same_short_sound_together():
    """One clip of 5 s in two channels is judged by a model that heard neither, and nothing is said to be parted."""
    rows = [row(n, "food" if n % 2 else "travel", f"c{n}") for n in range(1, 21)]
    sounds = {f"v{n}": heard(sound(700 + n, 5)) for n in range(1, 21)}
    sounds["v12"] = sounds["v1"]
    store = filled_store(rows, [result(name, one) for name, one in sounds.items()])
    data = load_dataset(store, PRINT)
    for seed in range(5):
        judged = evaluate(data, store.fragments(PRINT), classifier="logistic", seed=seed)
        fold_of = dict(zip(judged.predictions["id"], judged.predictions["fold"], strict=True))
        assert fold_of["v1"] == fold_of["v12"]
    assert judged.metrics["copies"] == {"videos": 2, "groups": 1, "parted": 0}


def test_published_folds_that_part_copies_are_used_and_counted():
    """A publisher's folds stay what they are, and the metrics say how many groups of copies they part."""
    rows = [row(n, "food" if n <= 4 else "travel", f"c{n}", {"part": str(n % 2)}) for n in range(1, 9)]
    sounds = {f"v{n}": sound(400 + n) for n in range(1, 9)}
    sounds |= {"v2": sounds["v1"], "v7": sounds["v5"]}
    store = filled_store(rows, [result(name, heard(one)) for name, one in sounds.items()])
    data = load_dataset(store, PRINT, fold_column="part")
    assert data.folds is not None
    assert data.folds.tolist() == [1, 0, 1, 0, 1, 0, 1, 0]
    assert data.copies == {"videos": 4, "groups": 2, "parted": 1}


def test_a_copy_without_a_label_parts_nothing():
    """A group of which one video can be judged is no group for the evaluation."""
    rows = [row(n, "food" if n <= 2 else "travel", f"c{n}") for n in range(1, 5)] + [row(5)]
    sounds = {f"v{n}": sound(500 + n) for n in range(1, 5)} | {"v5": sound(501)}
    store = filled_store(rows, [result(name, heard(one)) for name, one in sounds.items()])
    assert load_dataset(store, PRINT).copies == {"videos": 0, "groups": 0, "parted": 0}

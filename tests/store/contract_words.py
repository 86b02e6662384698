"""The behaviour of every store, third part: depth profiles, and the words of fragments."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from quartzlens.outcomes import Outcome
from quartzlens.records import Result, Words
from store.base import Store
from tests.store.things import DIMENSION, FINGERPRINT, OTHER, axis, embedded, failed, heard, media, ok, profile, rows


def profiled(video_id: str, *blocks: str, channels: int = 3, value: float = 0.5) -> Result:
    """An embedded video with a profile of these blocks."""
    whole = replace(embedded(axis(0)), profile=profile(*blocks, channels=channels, value=value))
    return replace(ok(video_id, axis(0)), embedded=whole)


def said(store: Store, saying: str, ids: Iterable[str] | None = None) -> list[tuple[str, float]]:
    """Video and first second of the fragments in which it was heard, as they come."""
    found = store.fragments(FINGERPRINT, None if ids is None else list(ids), saying)
    return [(video_id, float(start)) for video_id, start in zip(found.ids, found.bounds[:, 0], strict=True)]


def videos_saying(store: Store, saying: str) -> set[str]:
    """Videos of the fragments in which it was heard."""
    return {video_id for video_id, _ in said(store, saying)}


class ProfileContract:
    """Depth profiles, and what float16 does to them and to fragments."""

    def test_a_block_is_read_as_embeddings_are(self, store: Store) -> None:
        """A block's entry comes back as one row a video, means then deviations, in the order of videos."""
        store.add_rows("list", rows("a", "b", "bare"), [])
        moments = np.float32([[1, 2, 3], [0.1, 0.2, 0.3]])
        kept = replace(embedded(axis(0)), profile={"C1": moments, "B2": moments[:, :2]})
        store.commit([profiled("b", "C1"), replace(ok("a", axis(0)), embedded=kept), ok("bare", axis(1))])
        found = store.embeddings(FINGERPRINT, block="C1")
        assert found.ids == ("a", "b")
        assert found.matrix.dtype == np.float32
        expected = [*moments.astype(np.float16).reshape(-1).tolist()], [0.5] * 3 + [1.0] * 3
        assert found.matrix.tolist() == list(expected)
        assert store.embeddings(FINGERPRINT, ["b", "nowhere"], "C1").ids == ("b",)
        only = store.embeddings(FINGERPRINT, block="B2")
        assert (only.ids, only.matrix.shape) == (("a",), (1, 4))
        for none in (store.embeddings(FINGERPRINT, block="C9"), store.embeddings(FINGERPRINT, ["bare"], "C1")):
            assert (none.ids, none.matrix.shape, none.matrix.dtype) == ((), (0, 0), np.float32)
        assert store.embeddings(FINGERPRINT).ids == ("a", "b", "bare")

    def test_a_later_result_replaces_the_whole_profile(self, store: Store) -> None:
        """A new result of a fingerprint leaves none of its old blocks, another fingerprint's and a failure all."""
        store.add_rows("list", rows("a"), [])
        store.commit([profiled("a", "C1", "B1")])
        store.commit([ok("a", axis(0), OTHER)])
        store.commit([failed("a")])
        assert store.embeddings(FINGERPRINT, block="B1").ids == ("a",)
        assert store.embeddings(OTHER, block="B1").ids == ()
        store.commit([profiled("a", "C1", value=2.0)])
        assert store.embeddings(FINGERPRINT, block="B1").ids == ()
        assert store.embeddings(FINGERPRINT, block="C1").matrix[0, 0] == 2.0
        store.remove(["a"])
        assert store.embeddings(FINGERPRINT, block="C1").ids == ()

    def test_a_blocks_channels_are_the_same_in_every_video(self, store: Store) -> None:
        """A profile with another number of channels than a block of the encoder has is refused with both named."""
        store.add_rows("list", rows("a", "b"), [])
        with pytest.raises(ValueError, match="Video b: block C1 has 3 channels elsewhere, here 4"):
            store.commit([profiled("a", "C1"), profiled("b", "C1", channels=4)])
        assert store.embeddings(FINGERPRINT).ids == ()
        store.commit([profiled("a", "C1"), failed("b")])
        with pytest.raises(ValueError, match="Video b: block C1 has 3 channels elsewhere, here 6"):
            store.commit([profiled("b", "C1", channels=6)])
        store.commit([profiled("b", "C2", channels=6)])

    def test_what_float16_cannot_hold_becomes_its_largest_number(self, store: Store) -> None:
        """Fragments and profiles beyond float16 are kept as 65504; the pooled embedding is not touched."""
        store.add_rows("list", rows("a"), [])
        huge = replace(embedded([7e4, -7e4, *[1e30] * (DIMENSION - 2)]), profile=profile("C1", value=4e4))
        store.commit([replace(ok("a", axis(0)), embedded=huge)])
        assert store.embeddings(FINGERPRINT).matrix[0].tolist() == np.float32([7e4, -7e4, *[1e30] * 6]).tolist()
        assert store.fragments(FINGERPRINT).matrix[0].tolist() == [65504.0, -65504.0, *[65504.0] * (DIMENSION - 2)]
        assert store.embeddings(FINGERPRINT, block="C1").matrix.tolist() == [[40000.0] * 3 + [65504.0] * 3]


class WordsContract:
    """Words of fragments, and finding them."""

    def test_words_come_back_with_their_fragments(self, store: Store) -> None:
        """Each fragment has its words as they were heard, empty ones too; None where nobody listened."""
        store.add_rows("list", rows("a", "b", "c"), [])
        odd = 'it\'s "ÄÖ" \x00 🎵 -- \n'
        store.commit([heard("a", "hello there", "", odd), ok("b", axis(0)), heard("c", "bye")])
        kept = store.fragments(FINGERPRINT)
        assert kept.ids == ("a", "a", "a", "b", "b", "c")
        assert kept.words == (
            Words("hello there", 0.75),
            Words("", 0.75),
            Words(odd, 0.75),
            None,
            None,
            Words("bye", 0.75),
        )
        assert store.fragments(FINGERPRINT, ["c", "b"]).words == (None, None, Words("bye", 0.75))
        assert store.fragments(OTHER).words == ()

    def test_words_go_with_their_fragment(self, store: Store) -> None:
        """Fragments that come in another order than that of time take their words along; halves of characters go."""
        store.add_rows("list", rows("a"), [])
        given = heard("a", "first", "second", "th\ud800rd").embedded
        assert given is not None
        turned = replace(given, fragments=given.fragments[::-1], bounds=given.bounds[::-1], words=given.words[::-1])
        store.commit([replace(ok("a", axis(0)), embedded=turned)])
        words = [one.text for one in store.fragments(FINGERPRINT).words if one]
        assert words == ["first", "second", "th?rd"]
        found = store.fragments(FINGERPRINT, saying="second")
        assert (found.bounds.tolist(), found.words) == ([[5.0, 10.0]], (Words("second", 0.75),))
        assert (found.matrix == store.fragments(FINGERPRINT).matrix[1]).all()

    def test_every_word_must_be_heard_whole_or_in_its_beginning(self, store: Store) -> None:
        """Words are found in any order, by their beginnings, whatever their case and accents; never by their ends."""
        store.add_rows("list", rows("a", "b", "c"), [])
        store.commit([heard("a", "the Cooking show", "we cook"), heard("b", "¡Él cocinó un PIÑÓN!"), heard("c", "")])
        assert said(store, "show cook") == [("a", 0.0)]
        assert said(store, "COOK") == [("a", 5.0), ("a", 0.0)]
        assert said(store, "ooking") == []
        assert said(store, "cook nowhere") == []
        assert said(store, "el pinon") == [("b", 0.0)]
        assert said(store, "Piñón!") == [("b", 0.0)]
        assert said(store, "cook", ids=["b"]) == []

    def test_what_is_written_together_is_heard_together(self, store: Store) -> None:
        """A word with signs inside is found where its parts follow one another, its last part by its beginning."""
        store.add_rows("list", rows("a", "b"), [])
        store.commit([heard("a", "a well-known dish"), heard("b", "known so well, i don't")])
        assert videos_saying(store, "well-known") == {"a"}
        assert videos_saying(store, "well-kn") == {"a"}
        assert videos_saying(store, "known well") == {"a", "b"}
        assert videos_saying(store, "don't") == videos_saying(store, "DON’T") == {"b"}

    def test_chinese_needs_no_spaces(self, store: Store) -> None:
        """Characters of Chinese and Japanese are found inside of what was heard, in their order."""
        store.add_rows("list", rows("a", "b", "c"), [])
        store.commit([heard("a", "今天我们做饭"), heard("b", "饭做好了 ok"), heard("c", "カレーを作る")])
        assert videos_saying(store, "做饭") == {"a"}
        assert videos_saying(store, "饭") == {"a", "b"}
        assert videos_saying(store, "做 饭") == {"a", "b"}
        assert videos_saying(store, "好了OK") == {"b"}
        assert videos_saying(store, "カレー") == videos_saying(store, "ｶﾚｰ") == {"c"}

    @pytest.mark.parametrize(
        "saying",
        [
            '"',
            "AND",
            "NOT a",
            "a OR b",
            "cook*",
            "tokens:cook",
            "^cook",
            "NEAR(a b)",
            "(",
            "-a",
            "'; DROP TABLE words",
            "a\x00b",
        ],
    )
    def test_what_is_looked_for_is_text_and_no_query(self, store: Store, saying: str) -> None:
        """Operators, quotes and column names of a query language are words like others, or no words at all."""
        store.add_rows("list", rows("a", "b"), [])
        store.commit([heard("a", "cook b a"), heard("b", f"so {saying} it is")])
        found = videos_saying(store, saying)
        assert found == ({"b"} if any(character.isalnum() for character in saying) else set()) | (
            {"a"} if saying in {"cook*", "^cook", "-a"} else set()
        )

    @pytest.mark.parametrize("saying", [" ", "\n", "?!", "🎵🎵", "\x00", '""""', "\ud83c"])
    def test_no_word_finds_nothing(self, store: Store, saying: str) -> None:
        """Where only spaces, signs and pictures are looked for nothing is found, and nothing fails."""
        store.add_rows("list", rows("a"), [])
        store.commit([heard("a", "cook", "", saying)])
        found = store.fragments(FINGERPRINT, saying=saying)
        assert (found.ids, found.words, found.bounds.shape) == ((), (), (0, 2))
        assert found.matrix.shape == (0, DIMENSION)

    def test_long_texts_can_be_looked_for(self, store: Store) -> None:
        """Ten thousand characters are looked for like any, be they one word, many, one phrase or Chinese."""
        store.add_rows("list", rows("a", "b", "c", "d", "e"), [])
        many = " ".join(f"w{number}" for number in range(1750))
        texts = {"a": "x" * 10_000, "b": many, "c": "-".join("z" * 5_000), "d": "饭" * 10_000, "e": "é" * 10_000}
        store.commit([heard(video_id, text) for video_id, text in texts.items()])
        for video_id, text in texts.items():
            assert videos_saying(store, text) == {video_id}
            assert videos_saying(store, text + " q") == set()

    def test_many_videos_are_searched(self, store: Store) -> None:
        """Words are looked for among a thousand given ids and more as among a few, in the order of videos."""
        names = [f"v{number}" for number in range(1100)]
        store.add_rows("list", rows(*names), [])
        store.commit([heard(name, "cook") for name in ("v1050", "v3", "v0")])
        assert said(store, "cook", names[1:]) == [("v3", 0.0), ("v1050", 0.0)]

    def test_the_best_match_comes_first(self, store: Store) -> None:
        """Of two fragments the one that says it more often in fewer words is first; equal ones come as they are."""
        store.add_rows("list", rows("a", "b", "c"), [])
        once = "and then there was a little cook who lived in a town"
        store.commit([heard("c", once), heard("a", once, "nothing"), heard("b", "other", "cook cook cook", once)])
        assert said(store, "cook") == [("b", 5.0), ("a", 0.0), ("b", 10.0), ("c", 0.0)]

    def test_the_last_of_a_batch_counts_where_a_video_comes_twice(self, store: Store) -> None:
        """Of two results of one video in a batch the later one's arrays, profile, words and encoder's name stay."""
        store.add_rows("list", rows("a", "b"), [])
        named = replace(FINGERPRINT, checkpoint_name="later")
        last = replace(embedded(axis(1), named), words=(Words("last", 0.5), Words("", 0.5)), profile=profile("B2"))
        store.commit([heard("a", "first word"), heard("b", "between"), replace(ok("a", axis(1)), embedded=last)])
        assert store.embeddings(FINGERPRINT).matrix.tolist() == [axis(1), axis(0)]
        assert store.embeddings(FINGERPRINT, block="B2").ids == ("a",)
        assert store.embeddings(FINGERPRINT, block="C1").ids == ("b",)
        assert (said(store, "last"), said(store, "first"), said(store, "between")) == ([("a", 0.0)], [], [("b", 0.0)])
        assert store.info().encoders[0].checkpoint_name == "later"
        store.commit([failed("b"), replace(ok("b", axis(0)), media=media("b"))])
        (video,) = store.videos(["b"])
        assert (video.outcome, video.media) == (Outcome.OK, media("b"))

    def test_the_best_matches_alone_are_read_where_so_many_are_asked_for(self, store: Store) -> None:
        """``most`` leaves the first of what is found without it, with all that is theirs."""
        store.add_rows("list", rows("a", "b", "c"), [])
        store.commit([heard("a", "so we cook", "cook"), heard("b", "rain"), heard("c", "cook", "and they cook it")])
        every = store.fragments(FINGERPRINT, saying="cook")
        assert len(every.ids) == 4
        for most in range(6):
            found = store.fragments(FINGERPRINT, saying="cook", most=most)
            assert (found.ids, found.words) == (every.ids[:most], every.words[:most])
            assert found.bounds.tolist() == every.bounds[:most].tolist()
            assert found.matrix.tolist() == every.matrix[:most].tolist()

    def test_later_words_replace_earlier_ones(self, store: Store) -> None:
        """What was heard before is not found any more after a new result or a removal; other encoders' words stay."""
        store.add_rows("list", rows("a", "b"), [])
        store.commit([heard("a", "old", "old"), heard("b", "old")])
        store.commit([heard("a", "other", fingerprint=OTHER)])
        store.commit([heard("a", "new"), failed("b")])
        assert said(store, "old") == [("b", 0.0)]
        assert said(store, "new") == [("a", 0.0)]
        assert said(store, "other") == []
        assert store.fragments(OTHER, saying="other").ids == ("a",)
        store.commit([ok("a", axis(0))])
        assert said(store, "new") == []
        store.remove(["b"])
        assert said(store, "old") == []

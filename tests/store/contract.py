"""The behaviour of every store: each backend's tests inherit this suite."""

import math
from dataclasses import replace

import numpy as np
import pytest

from quartzlens.errors import HistoryMovedError, UnknownVideoError
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import BadRow, Label, LabelSource, Media, Words
from store.base import Store
from store.labels import BOTH, current_categories
from tests.store.contract_moving import MovingContract
from tests.store.contract_search import RemovalContract, SearchContract
from tests.store.contract_words import ProfileContract, WordsContract
from tests.store.things import (
    DIMENSION,
    FINGERPRINT,
    OTHER,
    axis,
    embedded,
    failed,
    ids_of,
    media,
    ok,
    person,
    profile,
    row,
    rows,
)


class RowsContract:
    """Rows, videos and labels."""

    def test_new_videos_are_pending_with_the_facts_of_their_row(self, store: Store) -> None:
        """A row becomes a video without an outcome that has the row's title, channel and extra columns."""
        given = row(1, "a", "food", title="<b>Soup</b>", description="d\nx", channel="c")
        store.add_rows("list", [replace(given, extra={"fold": "3", "ключ": "значение 🎵"})], [])
        (video,) = store.videos()
        assert (video.id, video.source, video.title, video.description, video.channel) == (
            "a",
            "https://example.org/a",
            "<b>Soup</b>",
            "d\nx",
            "c",
        )
        assert dict(video.extra) == {"fold": "3", "ключ": "значение 🎵"}
        assert (video.outcome, video.stage, video.media, video.tried_at, video.category) == (
            None,
            None,
            None,
            None,
            "food",
        )

    def test_videos_keep_the_order_in_which_they_came(self, store: Store) -> None:
        """The order of videos is that of their first coming, over lists and over later changes of a list."""
        store.add_rows("list", rows("c", "a"), [])
        store.add_rows("more", rows("b", "a", source_list="more"), [])
        store.add_rows("list", rows("a", "c", "d"), [])
        assert ids_of(store) == ["c", "a", "b", "d"]
        assert [video.id for video in store.videos(["d", "c", "nowhere"])] == ["c", "d"]
        assert store.videos([]) == ()

    def test_many_ids_can_be_asked_for(self, store: Store) -> None:
        """A thousand ids and more are answered as few are, with their labels and in the order of videos."""
        given = [row(number, f"v{number}", "food") for number in range(1, 1101)]
        store.add_rows("list", given, [])
        store.commit([ok("v7", axis(1)), ok("v1100", axis(2)), ok("v1", axis(3))])
        wanted = {f"v{number}" for number in range(2, 1101)}
        assert [video.category for video in store.videos(wanted)] == ["food"] * 1099
        assert store.embeddings(FINGERPRINT, wanted).ids == ("v7", "v1100")
        assert store.fragments(FINGERPRINT, wanted - {"v7"}).ids == ("v1100", "v1100")
        store.remove(wanted)
        assert ids_of(store) == ["v1"]

    def test_same_rows_again_change_nothing(self, store: Store) -> None:
        """Giving a list twice adds no label and no video."""
        given = [row(1, "a", "food"), row(2, "a", "travel"), row(3, "b")]
        store.add_rows("list", given, [])
        before = (store.videos(), store.labels(), store.info())
        store.add_rows("list", given, [])
        assert (store.videos(), store.labels(), store.info()) == before

    def test_a_changed_label_is_a_new_entry(self, store: Store) -> None:
        """A row whose label changes adds to the history, and the new label is the one that counts."""
        store.add_rows("list", [row(1, "a", "food")], [])
        store.add_rows("list", [row(1, "a", "travel")], [])
        said = [(label.category, label.source, label.origin) for label in store.labels()]
        assert said == [("food", LabelSource.CSV, "list#1"), ("travel", LabelSource.CSV, "list#1")]
        assert store.videos()[0].categories == ("travel",)

    def test_a_person_can_name_several_categories(self, store: Store) -> None:
        """One entry of a person that names two categories gives the video both, until the next entry."""
        store.add_rows("list", [row(1, "a", "food")], [])
        store.add_labels([person("a", f"travel{BOTH}food")])
        assert store.videos()[0].categories == ("food", "travel")
        store.add_labels([person("a", None)])
        assert store.videos()[0].categories == ("food",)

    @pytest.mark.parametrize("later", [[], [row(1, "a")], [row(1, "b", "food")]])
    def test_a_row_that_goes_takes_its_label_back(self, store: Store, later: list[object]) -> None:
        """A row that is gone, has no label any more or leads elsewhere takes back the label that it gave."""
        store.add_rows("list", [row(1, "a", "food")], [])
        store.commit([ok("a", axis(0))])
        store.add_rows("list", later, [])  # type: ignore[arg-type]
        assert store.videos(["a"])[0].categories == ()
        taken = store.labels()[1]
        assert (taken.video_id, taken.category, taken.origin) == ("a", None, "list#1")

    def test_two_rows_that_disagree_are_a_conflict(self, store: Store) -> None:
        """A video that lists give two categories has both and no category, until a person decides."""
        store.add_rows("list", [row(1, "a", "food"), row(2, "a", "travel")], [])
        assert (store.videos()[0].categories, store.videos()[0].category) == (("food", "travel"), None)
        store.add_labels([person("a", "travel")])
        assert store.videos()[0].category == "travel"
        store.add_labels([person("a", None)])
        assert store.videos()[0].categories == ("food", "travel")

    def test_facts_are_those_of_the_first_row(self, store: Store) -> None:
        """Of several rows the first one of the first list gives the title; when it goes, the next one does."""
        store.add_rows("list", [row(2, "a", title="two"), row(1, "a", title="one")], [])
        store.add_rows("more", [row(1, "a", title="three", source_list="more", channel="c")], [])
        assert store.videos()[0].title == "one"
        store.add_rows("list", [row(2, "a", title="two")], [])
        assert store.videos()[0].title == "two"
        store.add_rows("list", [], [])
        assert (store.videos()[0].title, store.videos()[0].channel) == ("three", "c")

    def test_a_growing_list_loses_nothing(self, store: Store) -> None:
        """A beginning that moved on adds what is new behind what was known; no video, row or label goes or changes."""
        store.add_rows("list", [row(1, "a", "food"), row(2, "b", "food"), row(3, "c", "food")], [], growing=True)
        before = store.labels()
        store.add_rows("list", [row(1, "new", "food"), row(2, "a", "food", title="A")], [], growing=True)
        assert ids_of(store) == ["a", "b", "c", "new"]
        assert store.labels()[:3] == before
        assert [(label.video_id, label.origin) for label in store.labels()[3:]] == [("new", "list#4")]
        assert (store.videos()[0].title, store.info().rows) == ("A", 4)

    def test_a_growing_list_changes_labels_and_keeps_extra_columns(self, store: Store) -> None:
        """A known video's row is replaced whole; the others stay as they were given."""
        given = [row(1, "a", "food"), row(2, "b", "food")]
        store.add_rows("list", [replace(one, extra={"id": one.video_id}) for one in given], [])
        store.add_rows("list", [row(1, "a", "travel")], [BadRow("list", 2, "no link")], growing=True)
        assert [video.categories for video in store.videos()] == [("travel",), ("food",)]
        assert [dict(video.extra) for video in store.videos()] == [{}, {"id": "b"}]
        assert [bad.problem for bad in store.info().bad_rows] == ["no link"]

    def test_bad_rows_of_a_growing_list_are_those_of_this_time(self, store: Store) -> None:
        """They keep the numbers that they are given, whatever rows of these numbers are kept, and do not grow."""
        store.add_rows("list", rows("a", "b"), [BadRow("list", 3, "no link"), BadRow("list", 4, "too deep")])
        store.add_rows("list", [row(2, "b")], [BadRow("list", 1, "private")], growing=True)
        assert store.info().bad_rows == (BadRow("list", 1, "private"),)
        assert (ids_of(store), store.info().rows) == (["a", "b"], 2)

    def test_a_growing_list_may_name_a_video_twice(self, store: Store) -> None:
        """It has two rows of the video, also after it was given again, and three once it is named three times."""
        for names in (["a", "b", "a"], ["a", "b", "a"], ["a", "a"]):
            store.add_rows("list", rows(*names), [], growing=True)
            assert (ids_of(store), store.info().rows) == (["a", "b"], 3)
        store.add_rows("list", rows("a", "a", "a"), [], growing=True)
        assert (ids_of(store), store.info().rows) == (["a", "b"], 4)

    def test_videos_that_nothing_holds_go(self, store: Store) -> None:
        """A video stays while it has a row, an embedding or a person's label, and goes when it has none."""
        store.add_rows("list", [row(1, "bare", "food"), *rows("x", "embedded", "judged", "tried")[1:]], [])
        store.add_rows("more", rows("listed", source_list="more"), [])
        store.commit([ok("embedded", axis(0)), failed("tried")])
        store.add_labels([person("judged", "food")])
        store.add_rows("list", [], [])
        assert ids_of(store) == ["embedded", "judged", "listed"]
        assert [label.video_id for label in store.labels()] == ["judged"]

    def test_bad_rows_are_those_of_the_last_time(self, store: Store) -> None:
        """Bad rows are kept a list, in the order of the lists, and replaced with it."""
        store.add_rows("list", [], [BadRow("list", 3, "no link"), BadRow("list", 1, "empty")])
        store.add_rows("more", rows("a", source_list="more"), [BadRow("more", 2, "twice")])
        assert store.info().bad_rows == (
            BadRow("list", 3, "no link"),
            BadRow("list", 1, "empty"),
            BadRow("more", 2, "twice"),
        )
        store.add_rows("list", [], [BadRow("list", 1, "empty")])
        assert store.info().bad_rows == (BadRow("list", 1, "empty"), BadRow("more", 2, "twice"))
        assert store.info().rows == 1

    def test_rows_of_another_list_and_double_numbers_are_refused(self, store: Store) -> None:
        """A mix-up of lists or numbers is an error, and nothing of it is kept."""
        with pytest.raises(ValueError, match="'more', not of 'list'"):
            store.add_rows("list", rows("a", source_list="more"), [])
        with pytest.raises(ValueError, match="'more', not of 'list'"):
            store.add_rows("list", [], [BadRow("more", 1, "?")])
        with pytest.raises(ValueError, match="two rows of one number"):
            store.add_rows("list", [row(1, "a"), row(1, "b")], [])
        assert store.videos() == ()

    def test_labels_need_their_video(self, store: Store) -> None:
        """A label for an id that is not there is refused with the ids named, and none of its batch is kept."""
        store.add_rows("list", rows("a"), [])
        with pytest.raises(UnknownVideoError, match="q, r, s and 1 more"):
            store.add_labels([person("a", "food"), *(person(one, "food") for one in "srqt")])
        assert store.labels() == ()

    def test_who_decides_by_the_history_is_refused_where_it_moved(self, store: Store) -> None:
        """After as many entries as were read labels are added; where one came or went since, nothing is kept."""
        store.add_rows("list", [row(1, "a", "food"), row(2, "b", "food")], [])
        store.add_labels([person("a", "travel"), person("b", "travel")], after=2)
        read = store.labels()
        store.add_labels([person("b", "history")])
        for given in ([person("a", "food"), person("b", "food")], []):
            with pytest.raises(HistoryMovedError, match="had 4 entries when it was read and has 5 now"):
                store.add_labels(given, after=len(read))
        assert store.labels() == (*read, person("b", "history"))
        store.remove(["a"])
        with pytest.raises(HistoryMovedError, match="had 5 entries when it was read and has 3 now"):
            store.add_labels([person("b", "food")], after=5)
        with pytest.raises(UnknownVideoError):
            store.add_labels([person("a", "food")], after=3)
        store.add_labels([person("b", None)], after=3)
        assert [label.category for label in store.labels()] == ["food", "travel", "history", None]

    def test_the_history_is_kept_word_for_word(self, store: Store) -> None:
        """The history comes back as it was given, in its order, and explains the categories."""
        store.add_rows("list", rows("a", "b"), [])
        given = [
            person("b", "food"),
            Label("a", "travel", LabelSource.IMPORT, "old.csv#1", "t"),
            person("b", None),
            Label("b", "it's", LabelSource.PERSON, "", "t", "Ana"),
            Label("a", None, LabelSource.PERSON, "unsure", "t", "O'B \u202e", "two\nlines, =1+1\n<b>'\";--", "7f"),
            Label("b", None, LabelSource.PERSON, "", "t", "Ana", bulk="7f", undo=True),
        ]
        store.add_labels(given)
        store.add_labels([])
        assert store.labels() == tuple(given)
        assert store.info().labels == 6
        for video in store.videos():
            assert video.categories == current_categories(one for one in given if one.video_id == video.id)


class ResultsContract:
    """Outcomes, embeddings and fragments."""

    def test_an_outcome_is_kept_with_its_facts(self, store: Store) -> None:
        """Outcome, stage, detail, time and media facts come back as they were committed."""
        store.add_rows("list", rows("a", "b"), [])
        store.commit([ok("a", axis(0), media=media("a")), failed("b", Outcome.PRIVATE, "sign in")])
        a, b = store.videos()
        assert (a.outcome, a.stage, a.detail, a.tried_at) == (Outcome.OK, Stage.ENCODE, "", "2026-01-02T03:04:05+00:00")
        assert a.media == media("a")
        assert (b.outcome, b.stage, b.detail, b.media) == (Outcome.PRIVATE, Stage.DOWNLOAD, "sign in", None)

    def test_a_later_result_replaces_the_outcome_and_not_the_embedding(self, store: Store) -> None:
        """A failure after a success is what the video shows; its embedding and the facts of its media stay."""
        store.add_rows("list", rows("a"), [])
        store.commit([ok("a", axis(0), media=media("a"))])
        revision = store.info().revisions[FINGERPRINT.key]
        store.commit([failed("a")])
        assert (store.videos()[0].outcome, store.videos()[0].media) == (Outcome.NETWORK, media("a"))
        assert store.embedded_ids(FINGERPRINT) == store.embeddings(FINGERPRINT).ids == ("a",)
        assert store.info().revisions[FINGERPRINT.key] == revision

    def test_what_a_site_told_fills_what_the_list_left_empty(self, store: Store) -> None:
        """Title and channel from the site show where the list has none, also after the list comes again."""
        given = [row(1, "a"), row(2, "b", title="listed", channel="mine")]
        store.add_rows("list", given, [])
        store.commit([replace(ok(one, axis(0)), title="told", channel="theirs") for one in "ab"])
        store.commit([failed("a")])
        store.add_rows("list", given, [])
        assert [(video.title, video.channel) for video in store.videos()] == [("told", "theirs"), ("listed", "mine")]
        store.remove(["a"])
        store.add_rows("list", given, [])
        assert [(video.title, video.channel) for video in store.videos(["a"])] == [("", None)]

    def test_embeddings_come_back_to_the_bit(self, store: Store) -> None:
        """Pooled embeddings are float32, unchanged, one a video, in the order of videos; the last of a batch wins."""
        generator = np.random.default_rng(0)
        first, second, third = generator.normal(size=(3, DIMENSION)).astype(np.float32)
        store.add_rows("list", rows("a", "b"), [])
        store.commit([ok("b", first), ok("a", second), ok("b", third)])
        kept = store.embeddings(FINGERPRINT)
        assert kept.ids == ("a", "b")
        assert kept.matrix.dtype == np.float32
        assert (kept.matrix == np.stack([second, third])).all()
        assert store.embeddings(FINGERPRINT, ["b", "nowhere"]).ids == ("b",)
        assert store.embeddings(FINGERPRINT, []).matrix.shape == (0, DIMENSION)

    def test_fragments_come_in_the_order_of_time(self, store: Store) -> None:
        """Fragments are rounded to float16 and come back as float32 by video and time, each with its bounds."""
        store.add_rows("list", rows("a", "b"), [])
        shuffled = embedded(axis(1), fragments=3)
        shuffled = replace(shuffled, fragments=shuffled.fragments[::-1] / 3, bounds=shuffled.bounds[::-1])
        none = replace(ok("b", axis(2)), embedded=embedded(axis(2), fragments=0))
        store.commit([none, replace(ok("a", axis(1)), embedded=shuffled)])
        kept = store.fragments(FINGERPRINT)
        assert kept.ids == ("a", "a", "a")
        assert kept.bounds.tolist() == [[0, 5], [5, 10], [10, 15]]
        assert kept.matrix.dtype == kept.bounds.dtype == np.float32
        assert (kept.matrix[:, 1] == np.float16([1 / 3, 2, 11 / 3])).all()
        assert store.fragments(FINGERPRINT, ["b"]).matrix.shape == (0, DIMENSION)

    def test_fingerprints_live_side_by_side(self, store: Store) -> None:
        """Embeddings of two encoders do not touch each other, and each has its own revision."""
        store.add_rows("list", rows("b", "a"), [])
        assert store.embedded_ids(FINGERPRINT) == ()
        store.commit([ok("a", axis(0)), ok("b", axis(2))])
        store.commit([ok("a", axis(1), OTHER)])
        assert (store.embedded_ids(FINGERPRINT), store.embedded_ids(OTHER)) == (("b", "a"), ("a",))
        assert (store.embeddings(FINGERPRINT).matrix == [axis(2), axis(0)]).all()
        assert (store.embeddings(OTHER).matrix[0] == axis(1)).all()
        assert store.info().encoders == (FINGERPRINT, OTHER)
        assert set(store.info().revisions) == {FINGERPRINT.key, OTHER.key}

    def test_an_encoder_has_the_name_given_last(self, store: Store) -> None:
        """The checkpoint's name is for people: a new one does not make another encoder."""
        store.add_rows("list", rows("a"), [])
        store.commit([ok("a", axis(0))])
        store.commit([ok("a", axis(0), replace(FINGERPRINT, checkpoint_name="renamed"))])
        assert [encoder.checkpoint_name for encoder in store.info().encoders] == ["renamed"]

    def test_nothing_is_kept_of_a_batch_with_an_unknown_video(self, store: Store) -> None:
        """A batch is whole or not at all: one unknown id and no result of it is kept."""
        store.add_rows("list", rows("a"), [])
        with pytest.raises(UnknownVideoError, match="nowhere"):
            store.commit([ok("a", axis(0)), failed("nowhere")])
        assert store.videos()[0].outcome is None
        assert store.info().encoders == ()

    @pytest.mark.parametrize(
        "bad",
        [
            replace(failed("a"), outcome=Outcome.OK),
            replace(ok("a", axis(0)), outcome=Outcome.FAILED),
            ok("a", [math.nan] * DIMENSION),
            ok("a", [math.inf] * DIMENSION),
            replace(ok("a", axis(0)), embedded=replace(embedded(axis(0)), profile=profile("B1", value=math.nan))),
            replace(ok("a", axis(0)), embedded=replace(embedded(axis(0)), profile=profile("B1", value=math.inf))),
            replace(ok("a", axis(0)), embedded=replace(embedded(axis(0)), profile=profile("B1", channels=0))),
            replace(ok("a", axis(0)), embedded=replace(embedded(axis(0)), profile={"B1": np.ones(6, np.float32)})),
            replace(ok("a", axis(0)), embedded=replace(embedded(axis(0)), profile=profile(""))),
            replace(ok("a", axis(0)), embedded=replace(embedded(axis(0)), words=(Words("one of two", 0.5),))),
            replace(ok("a", axis(0)), embedded=replace(embedded(axis(0)), words=(Words("", 0.0), Words("", 1.01)))),
            replace(ok("a", axis(0)), embedded=replace(embedded(axis(0)), words=(Words("", math.nan),) * 2)),
            ok("a", [1.0] * (DIMENSION - 1)),
            ok("a", axis(0), media=replace(media("a"), loudness_dbfs=math.nan)),
            ok("a", axis(0), media=replace(media("a"), clip_seconds=math.inf)),
        ],
        ids=[
            "no embedding",
            "not ok",
            "nan",
            "inf",
            "profile nan",
            "profile inf",
            "no channels",
            "no pair",
            "no block",
            "words missing",
            "probability",
            "probability nan",
            "dimension",
            "loudness",
            "seconds",
        ],
    )
    def test_what_is_not_whole_is_refused(self, store: Store, bad: object) -> None:
        """An ok without an embedding, or numbers that are none, are refused with the video's id."""
        store.add_rows("list", rows("a", "b"), [])
        with pytest.raises(ValueError, match="Video a: "):
            store.commit([ok("b", axis(0)), bad])  # type: ignore[list-item]
        assert [video.outcome for video in store.videos()] == [None, None]

    def test_silence_and_nonsense_lengths_are_kept_as_numbers(self, store: Store) -> None:
        """Digital silence is kept as -200 dBFS, and a length that is no number as an unknown length."""
        store.add_rows("list", rows("a"), [])
        facts = Media(math.nan, 60.0, -math.inf, "flac", 8000, silent=True)
        store.commit([ok("a", axis(0), media=facts)])
        assert store.videos()[0].media == Media(None, 60.0, -200.0, "flac", 8000, silent=True)


class StoreContract(
    RowsContract, ResultsContract, ProfileContract, WordsContract, SearchContract, RemovalContract, MovingContract
):
    """All of it; a backend gives the fixtures ``store`` and ``other``, both empty."""

"""The behaviour of every store, second part: search, removal, revisions and runs."""

import numpy as np
import pytest

from quartzlens.errors import EncoderMismatchError
from store.base import Store
from tests.store.things import (
    DIMENSION,
    FINGERPRINT,
    OTHER,
    axis,
    failed,
    ids_of,
    matrix_of,
    ok,
    person,
    row,
    rows,
    run,
)


class SearchContract:
    """Neighbours."""

    def test_nearest_first_by_cosine(self, store: Store) -> None:
        """Neighbours are ordered by cosine similarity, whatever the length of the vectors."""
        store.add_rows("list", rows("a", "b", "c"), [])
        store.commit([ok("a", axis(0)), ok("b", axis(0, 1)), ok("c", [-300.0, *[0.0] * (DIMENSION - 1)])])
        ((first, second, third),) = store.search(FINGERPRINT, matrix_of([[0.01, *[0] * (DIMENSION - 1)]]), 5)
        assert [first.video_id, second.video_id, third.video_id] == ["a", "b", "c"]
        assert [first.similarity, second.similarity, third.similarity] == pytest.approx([1, 0.5**0.5, -1], abs=1e-6)

    def test_ties_come_in_the_order_of_videos(self, store: Store) -> None:
        """Copies of a vector, also scaled ones, come in the order of videos, and k cuts there."""
        names = [f"v{number}" for number in range(60)]
        store.add_rows("list", rows(*names), [])
        vector = np.random.default_rng(1).normal(size=DIMENSION)
        store.commit([ok(name, vector * (1 + index % 7)) for index, name in reversed(list(enumerate(names)))])
        (found,) = store.search(FINGERPRINT, vector[None].astype(np.float32), 9)
        assert [neighbour.video_id for neighbour in found] == names[:9]

    def test_within_is_exact(self, store: Store) -> None:
        """``within`` gives min(k, matching) neighbours; unknown ids and videos without embedding do not count."""
        store.add_rows("list", rows("a", "b", "c", "pending"), [])
        store.commit([ok("a", axis(0)), ok("b", axis(1)), ok("c", axis(0, 1))])
        query = matrix_of([axis(0)])
        (found,) = store.search(FINGERPRINT, query, 10, within={"b", "c", "pending", "nowhere"})
        assert [neighbour.video_id for neighbour in found] == ["c", "b"]
        (found,) = store.search(FINGERPRINT, query, 1, within=["b", "c"])
        assert [neighbour.video_id for neighbour in found] == ["c"]
        assert store.search(FINGERPRINT, query, 3, within=[]) == [[]]

    def test_fragments_are_searched_as_videos_are(self, store: Store) -> None:
        """The nearest fragments come with their bounds, ties as they came, within exactly."""
        store.add_rows("list", rows("a", "b", "c", "pending"), [])
        store.commit([ok("c", axis(0)), ok("b", axis(0, 1)), ok("a", axis(0))])
        query = matrix_of([axis(0)])
        (found,) = store.search(FINGERPRINT, query, 5, fragments=True)
        assert [(one.video_id, one.bounds) for one in found] == [
            ("a", (0, 5)),
            ("a", (5, 10)),
            ("c", (0, 5)),
            ("c", (5, 10)),
            ("b", (0, 5)),
        ]
        assert [one.similarity for one in found] == pytest.approx([1, 1, 1, 1, 0.5**0.5])
        (found,) = store.search(FINGERPRINT, query, 9, within={"b", "c", "pending"}, fragments=True)
        assert [one.video_id for one in found] == ["c", "c", "b", "b"]
        store.commit([ok("c", axis(1))])
        store.remove(["a"])
        (found,) = store.search(FINGERPRINT, query, 9, fragments=True)
        assert [one.video_id for one in found] == ["b", "b", "c", "c"]
        with pytest.raises(EncoderMismatchError, match=OTHER.key):
            store.search(OTHER, query, 1, fragments=True)

    def test_zero_vectors_have_similarity_zero(self, store: Store) -> None:
        """A zero embedding, or a zero query, has similarity 0 with everything, never NaN."""
        store.add_rows("list", rows("a", "zero"), [])
        store.commit([ok("a", axis(0)), ok("zero", [0.0] * DIMENSION)])
        found = store.search(FINGERPRINT, matrix_of([axis(0), [0.0] * DIMENSION]), 2)
        assert [[(one.video_id, one.similarity) for one in each] for each in found] == [
            [("a", 1.0), ("zero", 0.0)],
            [("a", 0.0), ("zero", 0.0)],
        ]

    def test_extreme_lengths_do_not_overflow(self, store: Store) -> None:
        """Vectors near the ends of float32 are compared by their direction as any other."""
        store.add_rows("list", rows("tiny", "a"), [])
        store.commit([ok("tiny", matrix_of(axis(0, 1)) * 1e-38), ok("a", axis(0))])
        (found,) = store.search(FINGERPRINT, matrix_of([axis(0, 1)]) * np.float32(3e38), 2)
        assert [one.video_id for one in found] == ["tiny", "a"]
        assert found[0].similarity == pytest.approx(1)

    def test_search_sees_what_was_committed_last(self, store: Store) -> None:
        """A search after a commit or a removal answers from the new state."""
        store.add_rows("list", rows("a", "b"), [])
        query = matrix_of([axis(0)])
        assert store.search(FINGERPRINT, query, 3) == [[]]
        store.commit([ok("a", axis(0))])
        assert [one.video_id for one in store.search(FINGERPRINT, query, 3)[0]] == ["a"]
        store.commit([ok("a", axis(1)), ok("b", axis(0))])
        assert [one.video_id for one in store.search(FINGERPRINT, query, 3)[0]] == ["b", "a"]
        store.remove(["b"])
        assert [one.video_id for one in store.search(FINGERPRINT, query, 3)[0]] == ["a"]
        store.remove(["a"])
        assert store.search(FINGERPRINT, query, 3) == [[]]

    def test_other_encoders_do_not_meet(self, store: Store) -> None:
        """A search with another encoder than the stored one's, or another dimension, is an error that names both."""
        store.add_rows("list", rows("a"), [])
        store.commit([ok("a", axis(0))])
        with pytest.raises(EncoderMismatchError, match=f"{OTHER.key}.*{FINGERPRINT.key}"):
            store.search(OTHER, matrix_of([axis(0)]), 1)
        with pytest.raises(EncoderMismatchError, match=f"3 dimensions.*{FINGERPRINT.key}.* {DIMENSION}"):
            store.search(FINGERPRINT, np.zeros((1, 3), np.float32), 1)

    @pytest.mark.parametrize(
        ("query", "k"),
        [(np.zeros(DIMENSION), 1), (np.full((1, DIMENSION), np.nan), 1), (np.zeros((1, DIMENSION)), -1)],
        ids=["one dimension", "nan", "negative k"],
    )
    def test_senseless_searches_are_refused(self, store: Store, query: object, k: int) -> None:
        """A query that is no matrix of finite numbers, or a negative k, is refused."""
        with pytest.raises(ValueError, match="A search takes"):
            store.search(FINGERPRINT, query, k)  # type: ignore[arg-type]

    def test_no_query_and_no_k_have_no_answer(self, store: Store) -> None:
        """Zero queries give zero answers, and k 0 gives empty ones."""
        store.add_rows("list", rows("a"), [])
        store.commit([ok("a", axis(0))])
        assert store.search(FINGERPRINT, np.zeros((0, DIMENSION), np.float32), 3) == []
        assert store.search(FINGERPRINT, matrix_of([axis(0)]), 0) == [[]]


class RemovalContract:
    """Erasing videos, revisions and runs."""

    def test_remove_erases_everything_of_a_video(self, store: Store) -> None:
        """After a removal neither video, rows, labels nor embeddings are left; unknown ids do no harm."""
        store.add_rows("list", [row(1, "a", "food"), row(2, "b", "travel")], [])
        store.commit([ok("a", axis(0)), ok("b", axis(1))])
        store.remove(["a", "nowhere"])
        assert ids_of(store) == ["b"]
        assert [label.video_id for label in store.labels()] == ["b"]
        assert store.embeddings(FINGERPRINT).ids == ("b",)
        assert store.fragments(FINGERPRINT).ids == ("b", "b")
        assert store.info().rows == 1
        store.add_rows("list", [row(1, "a", "food"), row(2, "b", "travel")], [])
        assert ids_of(store) == ["b", "a"]
        assert store.videos(["a"])[0].outcome is None

    def test_revisions_move_with_embeddings_alone(self, store: Store) -> None:
        """Adding, replacing and removing embeddings moves the revision; rows, labels, runs and failures do not."""
        store.add_rows("list", rows("a", "b"), [])
        seen = []
        for change in (
            lambda: store.commit([ok("a", axis(0))]),
            lambda: store.commit([ok("a", axis(1))]),
            lambda: store.remove(["a"]),
        ):
            change()
            seen.append(store.info().revisions[FINGERPRINT.key])
        assert len(set(seen)) == 3
        assert seen == sorted(seen)
        store.add_labels([person("b", "food")])
        store.add_run(run())
        store.commit([failed("b")])
        store.add_rows("list", [], [])
        store.remove(["b"])
        assert store.info().revisions[FINGERPRINT.key] == seen[-1]

    def test_runs_come_back_whole(self, store: Store) -> None:
        """A run comes back with settings, results and the bytes of its files; the list of runs has no files."""
        files = {"model.safetensors": bytes(range(256)), "empty.parquet": b""}
        given = run("first", 4, files)
        store.add_run(given)
        store.add_run(run("second"))
        assert [(one.id, dict(one.files)) for one in store.runs()] == [("first", {}), ("second", {})]
        (kept,) = store.runs("first")
        assert (kept.kind, kept.created_at, kept.fingerprint_key, kept.seed, kept.labels_seen) == (
            given.kind,
            given.created_at,
            given.fingerprint_key,
            given.seed,
            4,
        )
        assert (kept.settings, kept.results, kept.files) == (given.settings, given.results, files)
        assert list(kept.files) == list(files)
        assert store.runs("nowhere") == ()

    def test_removed_runs_go_with_their_files(self, store: Store) -> None:
        """Only the runs that are named go; unknown ids do no harm, and nothing of videos or revisions moves."""
        store.add_rows("list", [row(1, "a", "food")], [])
        store.commit([ok("a", axis(0))])
        for name in ("first", "second", "third"):
            store.add_run(run(name, 1, {"table": name.encode()}))
        before = (store.videos(), store.labels(), store.info())
        store.remove([], runs=["second", "nowhere", "../up", "second"])
        assert [one.id for one in store.runs()] == ["first", "third"]
        assert store.runs("second") == ()
        assert [store.runs(name)[0].files for name in ("first", "third")] == [{"table": b"first"}, {"table": b"third"}]
        assert (store.videos(), store.labels(), store.info()) == before

    def test_a_removed_runs_id_is_free_again(self, store: Store) -> None:
        """A run of the same id is kept with its own files, after all others."""
        store.add_run(run("r", files={"table": b"old", "model": b"old"}))
        store.add_run(run("s"))
        store.remove([], runs=["r", "s"])
        assert store.runs() == ()
        store.add_run(run("s"))
        store.add_run(run("r", files={"table": b"new"}))
        assert [one.id for one in store.runs()] == ["s", "r"]
        assert store.runs("r")[0].files == {"table": b"new"}

    def test_videos_and_runs_go_together(self, store: Store) -> None:
        """One removal takes both; the run that stays keeps to the labels that are left of those it saw."""
        store.add_rows("list", [row(1, "a", "food"), row(2, "b", "travel")], [])
        store.add_run(run("goes", 2, {"table": b"x"}))
        store.add_run(run("stays", 2))
        store.remove(["a"], runs=["goes"])
        assert ids_of(store) == ["b"]
        assert [(one.id, one.labels_seen) for one in store.runs()] == [("stays", 1)]

    def test_a_runs_id_is_taken_once(self, store: Store) -> None:
        """A second run of the same id is refused and the first one stays as it was."""
        store.add_run(run("r", files={"table": b"first"}))
        with pytest.raises(ValueError, match="a run 'r' already"):
            store.add_run(run("r", files={"table": b"second"}))
        assert store.runs("r")[0].files == {"table": b"first"}

    @pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "-dash", "a" * 101, "a\n", "ü"])
    def test_unsafe_names_of_runs_are_refused(self, store: Store, name: str) -> None:
        """Ids and file names of runs become names on disk: what could lead elsewhere is refused."""
        with pytest.raises(ValueError, match="no name for a run"):
            store.add_run(run(name))
        with pytest.raises(ValueError, match="no name for a run"):
            store.add_run(run("r", files={name: b""}))
        assert store.runs() == ()

    def test_runs_keep_to_the_labels_of_their_day(self, store: Store) -> None:
        """When labels are erased with their video, a run still counts exactly the left ones that it had seen."""
        store.add_rows("list", [row(1, "a", "food"), row(2, "b", "travel"), row(3, "c", "food")], [])
        store.add_run(run("early", labels_seen=2))
        store.add_run(run("late", labels_seen=3))
        store.remove(["a"])
        assert {one.id: one.labels_seen for one in store.runs()} == {"early": 1, "late": 2}
        assert [label.video_id for label in store.labels()[:1]] == ["b"]

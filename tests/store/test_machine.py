"""Whatever is done to a store, in whatever order, and wherever it is killed: it says what the store in memory says."""

import copy
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from quartzlens.errors import EncoderMismatchError, UnknownVideoError
from quartzlens.outcomes import Outcome
from quartzlens.records import BadRow, Fingerprint, Label, LabelSource, Neighbour, Result, Row, Words
from store.base import Store
from store.local import LocalStore
from store.memory import MemoryStore
from tests.store.crashing import HAS_MILVUS, NO_MILVUS, killed_at, open_local, open_milvus
from tests.store.things import DIMENSION, FINGERPRINT, OTHER, check_index, failed, matrix_of, media, ok, profile, run

IDS = st.sampled_from(["a", "b", "c", "d", "e", "-f", "g'\"", "h\n🎵"])
CATEGORIES = st.sampled_from([None, "food", "travel", "art_music"])
ENCODERS = st.sampled_from([FINGERPRINT, OTHER])
VECTORS = st.lists(st.sampled_from([-2.0, 0.0, 1.0, 3.0]), min_size=DIMENSION, max_size=DIMENSION)
SAID = ["", "cook", "Cooking", "don't", "你好", "hé", "-"]
TEXTS = st.lists(st.sampled_from(SAID), max_size=4).map(" ".join) | st.text(max_size=6)
BLOCKS = ("C1", "B1", "B2", "C9")
RUNS = st.sampled_from(["r1", "r2", "r3", "r4", "nowhere"])
LISTS = st.sampled_from(["one.csv", "two"])


@st.composite
def some_rows(draw: st.DrawFn, source_list: str) -> list[Row]:
    """Up to eight rows with their numbers in any order."""
    numbers = draw(st.lists(st.integers(1, 9), unique=True, max_size=8))
    return [
        Row(
            source_list,
            number,
            draw(IDS),
            "s",
            title=draw(st.text(max_size=3).filter(str.isprintable)),
            label=draw(CATEGORIES),
        )
        for number in numbers
    ]


@st.composite
def some_results(draw: st.DrawFn, ids: st.SearchStrategy[str]) -> list[Result]:
    """Up to five outcomes, most of them with an embedding."""
    results = []
    for video_id in draw(st.lists(ids, max_size=5)):
        if draw(st.integers(0, 3)):
            facts = draw(st.sampled_from([None, media(video_id)]))
            whole = ok(video_id, draw(VECTORS), draw(ENCODERS), facts)
            assert whole.embedded is not None
            blocks = draw(st.lists(st.sampled_from(["C1", "B1", "B2"]), unique=True, max_size=2))
            texts = draw(st.just([]) | st.lists(TEXTS, min_size=2, max_size=2))
            words = tuple(Words(text, draw(st.sampled_from([0.0, 0.5, 1.0]))) for text in texts)
            depth = profile(*blocks, value=draw(st.sampled_from([-1.0, 0.1, 7e4])))
            results.append(replace(whole, embedded=replace(whole.embedded, profile=depth, words=words)))
        else:
            told = draw(st.sampled_from(["", "told"]))
            results.append(
                replace(
                    failed(video_id, draw(st.sampled_from([Outcome.NETWORK, Outcome.PRIVATE]))),
                    title=told,
                    channel=told,
                )
            )
    return results


def undated(labels: tuple[Label, ...]) -> list[Label]:
    """Labels without the moment, which differs between two stores."""
    return [replace(label, given_at="") for label in labels]


def arrays_of(store: Store, encoder: Fingerprint) -> list[object]:
    """Everything numeric that a store holds of an encoder, as plain lists."""
    pooled, fragments = store.embeddings(encoder), store.fragments(encoder)
    blocks = [store.embeddings(encoder, block=block) for block in BLOCKS]
    return [
        pooled.ids,
        pooled.matrix.tolist(),
        fragments.ids,
        fragments.bounds.tolist(),
        fragments.matrix.tolist(),
        fragments.words,
        [(one.ids, one.matrix.shape, one.matrix.tolist()) for one in blocks],
    ]


def said_in(store: Store, encoder: Fingerprint, saying: str, ids: list[str] | None) -> list[object]:
    """The fragments in which it was heard, with all that is theirs, in no order of merit."""
    found = store.fragments(encoder, ids, saying)
    columns = (found.ids, found.bounds.tolist(), found.matrix.tolist(), found.words)
    return sorted(zip(*columns, strict=True), key=lambda one: (one[0], one[1]))


def state_of(store: Store) -> list[object]:
    """All that a store tells but the moments at which lists gave labels."""
    ledger = store.ledger()  # type: ignore[attr-defined]
    return [
        store.videos(),
        undated(store.labels()),
        store.info(),
        [(one.id, one.labels_seen, dict(store.runs(one.id)[0].files)) for one in store.runs()],
        (ledger.videos, ledger.told, ledger.lists),
        *(arrays_of(store, encoder) for encoder in (FINGERPRINT, OTHER)),
    ]


class SameAsMemory(RuleBasedStateMachine):
    """Every change is made to both stores; after each, both tell the same.

    ``LINES`` are about as many lines of code as each change takes: a crash comes at one of them.
    """

    LINES: ClassVar[Mapping[str, int]]
    open_store: ClassVar[Callable[[Path], Store]]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.memory: Store = MemoryStore()
        self.kept = type(self).open_store(self.folder)
        self.runs = 0

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.kept.__exit__()
        shutil.rmtree(self.folder)

    @initialize()
    def begin(self) -> None:
        """A list of three videos is there from the beginning, so that results have videos to be of."""
        for store in (self.memory, self.kept):
            store.add_rows("one.csv", [Row("one.csv", number, one, "s") for number, one in enumerate("abc", 1)], [])

    @rule(source_list=LISTS, data=st.data(), bad=st.lists(st.integers(1, 9), max_size=2), growing=st.booleans())
    def add_rows(self, source_list: str, data: st.DataObject, bad: list[int], growing: bool) -> None:
        """A list comes, changes or grows."""
        rows = data.draw(some_rows(source_list))
        bad_rows = [BadRow(source_list, number, "?") for number in bad]
        for store in (self.memory, self.kept):
            store.add_rows(source_list, rows, bad_rows, growing=growing)

    @rule(data=st.data(), strange=st.integers(0, 9))
    def commit(self, data: st.DataObject, strange: int) -> None:
        """Results of videos come; unknown videos, one batch in ten or so, are refused by both."""
        known = [video.id for video in self.memory.videos()]
        results = data.draw(some_results(st.sampled_from(known) if known and strange else IDS))
        said = []
        for store in (self.memory, self.kept):
            try:
                store.commit(results)
                said.append("kept")
            except UnknownVideoError as error:
                said.append(str(error))
        assert said[0] == said[1]

    @precondition(lambda self: self.memory.videos())
    @rule(data=st.data(), category=CATEGORIES, source=st.sampled_from(LabelSource), origin=st.sampled_from(["", "x"]))
    def add_labels(self, data: st.DataObject, category: str | None, source: LabelSource, origin: str) -> None:
        """Somebody gives a label or takes it back, with a name and a note or without."""
        more = data.draw(st.tuples(*(st.sampled_from(["", "x\n'"]) for _ in range(3)), st.booleans()))
        video = data.draw(st.sampled_from([video.id for video in self.memory.videos()]))
        for store in (self.memory, self.kept):
            store.add_labels([Label(video, category, source, origin, "t", *more)])

    @rule(ids=st.lists(IDS, max_size=3))
    def remove(self, ids: list[str]) -> None:
        """Videos are erased."""
        for store in (self.memory, self.kept):
            store.remove(ids)

    @rule(ids=st.just([]) | st.lists(IDS, max_size=2), runs=st.lists(RUNS, min_size=1, max_size=2))
    def remove_runs(self, ids: list[str], runs: list[str]) -> None:
        """Runs are removed, and videos with them or none."""
        for store in (self.memory, self.kept):
            store.remove(ids, runs=runs)

    @rule()
    def add_run(self) -> None:
        """A run is kept."""
        self.runs += 1
        given = run(f"r{self.runs}", len(self.memory.labels()), {"table": b"x"})
        for store in (self.memory, self.kept):
            store.add_run(given)

    @rule(
        encoder=ENCODERS,
        query=VECTORS,
        k=st.integers(0, 9),
        within=st.none() | st.lists(IDS, max_size=5),
        fragments=st.booleans(),
    )
    def search(self, encoder: object, query: list[float], k: int, within: list[str] | None, fragments: bool) -> None:
        """Both find the same neighbours with the same similarities, or refuse alike."""
        said: list[list[list[Neighbour]] | str] = []
        for store in (self.memory, self.kept):
            try:
                said.append(store.search(encoder, matrix_of([query]), k, within, fragments=fragments))  # type: ignore[arg-type]
            except EncoderMismatchError as error:
                said.append(str(error))
        assert said[0] == said[1]

    @rule(encoder=ENCODERS, saying=TEXTS, ids=st.none() | st.lists(IDS, max_size=5))
    def find(self, encoder: Fingerprint, saying: str, ids: list[str] | None) -> None:
        """Both find the same fragments by what was said in them."""
        assert said_in(self.memory, encoder, saying, ids) == said_in(self.kept, encoder, saying, ids)

    @rule()
    def reopen(self) -> None:
        """The folder is closed and opened."""
        self.kept.__exit__()
        self.kept = type(self).open_store(self.folder)

    @rule(data=st.data(), at=st.floats(0, 1), source_list=LISTS, growing=st.booleans())
    def crash_in_rows(self, data: st.DataObject, at: float, source_list: str, growing: bool) -> None:
        """A process is killed while a list comes."""
        rows = data.draw(some_rows(source_list))
        self.crash("add_rows", at, source_list, rows, [BadRow(source_list, 1, "?")], growing=growing)

    @precondition(lambda self: self.memory.videos())
    @rule(data=st.data(), at=st.floats(0, 1))
    def crash_in_commit(self, data: st.DataObject, at: float) -> None:
        """A process is killed while results come."""
        known = [video.id for video in self.memory.videos()]
        self.crash("commit", at, data.draw(some_results(st.sampled_from(known))))

    @precondition(lambda self: self.memory.videos())
    @rule(data=st.data(), at=st.floats(0, 1), category=CATEGORIES)
    def crash_in_short_writes(self, data: st.DataObject, at: float, category: str | None) -> None:
        """A process is killed while a label is given, a run is kept, or a video and a run are erased."""
        video = data.draw(st.sampled_from([video.id for video in self.memory.videos()]))
        method = data.draw(st.sampled_from(["add_labels", "remove", "add_run"]))
        ids, runs = data.draw(st.sampled_from([([video], []), ([], ["r1", "r2"]), ([video], ["r1"])]))
        if method == "add_run":
            self.runs += 1
            self.crash(method, at, run(f"r{self.runs}", len(self.memory.labels()), {"table": b"x"}))
        elif method == "remove":
            self.crash(method, at, ids, runs=runs)
        else:
            self.crash(method, at, [Label(video, category, LabelSource.PERSON, "", "t")])

    def crash(self, method: str, at: float, *args: object, **named: object) -> None:
        """What was being changed is as before or as after, and as after where it was acknowledged."""
        after = copy.deepcopy(self.memory)
        getattr(after, method)(*args, **named)
        self.kept.__exit__()
        line = 1 + int(at * self.LINES[method])
        killed = killed_at(line, type(self).open_store, self.folder, method, *args, **named)
        self.kept = type(self).open_store(self.folder)
        if not killed or state_of(self.kept) != state_of(self.memory):
            self.memory = after

    @invariant()
    def same(self) -> None:
        """Videos, labels, embeddings, profiles, fragments, words, runs and counts are equal, and words are indexed."""
        assert state_of(self.memory) == state_of(self.kept)
        if isinstance(self.kept, LocalStore):
            check_index(self.kept)


class LocalSameAsMemory(SameAsMemory):
    """The store in a folder."""

    LINES: ClassVar[Mapping[str, int]] = {
        "add_rows": 250,
        "commit": 400,
        "remove": 130,
        "add_labels": 80,
        "add_run": 120,
    }
    open_store = open_local


class MilvusSameAsMemory(SameAsMemory):
    """The store in Milvus Lite."""

    LINES: ClassVar[Mapping[str, int]] = {
        "add_rows": 12_000,
        "commit": 40_000,
        "remove": 20_000,
        "add_labels": 9_000,
        "add_run": 10_000,
    }
    open_store = open_milvus


TestLocalSameAsMemory = LocalSameAsMemory.TestCase
TestLocalSameAsMemory.settings = settings(
    max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestMilvusSameAsMemory = pytest.mark.skipif(not HAS_MILVUS, reason=NO_MILVUS)(MilvusSameAsMemory.TestCase)
TestMilvusSameAsMemory.settings = settings(
    max_examples=8, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

"""Whatever is done to it, in whatever order: the store in a folder says what the store in memory says."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from quartzlens.errors import EncoderMismatchError, UnknownVideoError
from quartzlens.outcomes import Outcome
from quartzlens.records import BadRow, Fingerprint, Label, LabelSource, Neighbour, Result, Row, Words
from store.base import Store
from store.local import LocalStore
from store.memory import MemoryStore
from tests.store.things import DIMENSION, FINGERPRINT, OTHER, check_index, failed, matrix_of, media, ok, profile, run

IDS = st.sampled_from(["a", "b", "c", "d", "e", "-f", "g'\"", "h\n🎵"])
CATEGORIES = st.sampled_from([None, "food", "travel", "art_music"])
ENCODERS = st.sampled_from([FINGERPRINT, OTHER])
VECTORS = st.lists(st.sampled_from([-2.0, 0.0, 1.0, 3.0]), min_size=DIMENSION, max_size=DIMENSION)
SAID = ["", "cook", "Cooking", "don't", "你好", "hé", "-"]
TEXTS = st.lists(st.sampled_from(SAID), max_size=4).map(" ".join) | st.text(max_size=6)
BLOCKS = ("C1", "B1", "B2", "C9")
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


class SameAsMemory(RuleBasedStateMachine):
    """Every change is made to both stores; after each, both tell the same."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.memory: Store = MemoryStore()
        self.local = LocalStore(self.folder)
        self.runs = 0

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.local.__exit__()
        shutil.rmtree(self.folder)

    @initialize()
    def begin(self) -> None:
        """A list of three videos is there from the beginning, so that results have videos to be of."""
        for store in (self.memory, self.local):
            store.add_rows("one.csv", [Row("one.csv", number, one, "s") for number, one in enumerate("abc", 1)], [])

    @rule(source_list=LISTS, data=st.data(), bad=st.lists(st.integers(1, 9), max_size=2), growing=st.booleans())
    def add_rows(self, source_list: str, data: st.DataObject, bad: list[int], growing: bool) -> None:
        """A list comes, changes or grows."""
        rows = data.draw(some_rows(source_list))
        bad_rows = [BadRow(source_list, number, "?") for number in bad]
        for store in (self.memory, self.local):
            store.add_rows(source_list, rows, bad_rows, growing=growing)

    @rule(data=st.data(), strange=st.integers(0, 9))
    def commit(self, data: st.DataObject, strange: int) -> None:
        """Results of videos come; unknown videos, one batch in ten or so, are refused by both."""
        known = [video.id for video in self.memory.videos()]
        results = data.draw(some_results(st.sampled_from(known) if known and strange else IDS))
        said = []
        for store in (self.memory, self.local):
            try:
                store.commit(results)
                said.append("kept")
            except UnknownVideoError as error:
                said.append(str(error))
        assert said[0] == said[1]

    @precondition(lambda self: self.memory.videos())
    @rule(data=st.data(), category=CATEGORIES, source=st.sampled_from(LabelSource), origin=st.sampled_from(["", "x"]))
    def add_labels(self, data: st.DataObject, category: str | None, source: LabelSource, origin: str) -> None:
        """Somebody gives a label or takes it back."""
        video = data.draw(st.sampled_from([video.id for video in self.memory.videos()]))
        for store in (self.memory, self.local):
            store.add_labels([Label(video, category, source, origin, "t")])

    @rule(ids=st.lists(IDS, max_size=3))
    def remove(self, ids: list[str]) -> None:
        """Videos are erased."""
        for store in (self.memory, self.local):
            store.remove(ids)

    @rule()
    def add_run(self) -> None:
        """A run is kept."""
        self.runs += 1
        given = run(f"r{self.runs}", len(self.memory.labels()), {"table": b"x"})
        for store in (self.memory, self.local):
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
        for store in (self.memory, self.local):
            try:
                said.append(store.search(encoder, matrix_of([query]), k, within, fragments=fragments))  # type: ignore[arg-type]
            except EncoderMismatchError as error:
                said.append(str(error))
        assert said[0] == said[1]

    @rule(encoder=ENCODERS, saying=TEXTS, ids=st.none() | st.lists(IDS, max_size=5))
    def find(self, encoder: Fingerprint, saying: str, ids: list[str] | None) -> None:
        """Both find the same fragments by what was said in them."""
        assert said_in(self.memory, encoder, saying, ids) == said_in(self.local, encoder, saying, ids)

    @rule()
    def reopen(self) -> None:
        """The folder is closed and opened."""
        self.local.__exit__()
        self.local = LocalStore(self.folder)

    @invariant()
    def same(self) -> None:
        """Videos, labels, embeddings, profiles, fragments, words, runs and counts are equal, and words are indexed."""
        first, second = self.memory, self.local
        assert first.videos() == second.videos()
        assert undated(first.labels()) == undated(second.labels())
        assert first.info() == second.info()
        seen = [[(one.id, one.labels_seen) for one in store.runs()] for store in (first, second)]
        assert seen[0] == seen[1]
        for encoder in (FINGERPRINT, OTHER):
            assert arrays_of(first, encoder) == arrays_of(second, encoder)
        check_index(self.local)


SameAsMemory.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestSameAsMemory = SameAsMemory.TestCase

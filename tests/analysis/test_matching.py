"""Which videos conditions are true of: the same as a plain filter in Python, and what is said of mistakes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.columns import Columns
from analysis.matching import asked_within, matching
from analysis.runs import make_run, parquet_bytes
from analysis.where import Condition, Where, parse
from quartzlens.errors import NotEnoughDataError, UsageError
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Media, Result, Run, Video
from store.memory import MemoryStore
from tests.analysis.made_up_collections import WHEN, filled_store, fingerprint_of, result, row

PRINT = fingerprint_of(2)
VIEWS = ("1000", "999", "1e3", "", "many", "20000000000000001", "20000000000000000")


def made() -> MemoryStore:
    """Seven embedded videos, a lost one and a pending one, with columns of every kind."""
    rows = [
        row(
            n,
            None if n == 7 else ("food", "travel")[n % 2],
            None if n == 3 else f"Channel, {n % 3}",
            {"View Count": VIEWS[n - 1], "Day": f"2026-0{n}-01", "fold": str(n % 4)},
        )
        for n in range(1, 8)
    ]
    rows += [row(8, "lost"), row(9)]
    rows[0] = replace(rows[0], title="Street SOUP at night", description="A cafe\u0301")
    store = filled_store(rows, [result(f"v{n}", [[1.0, 0.1 * n]]) for n in range(1, 8)])
    late = result("v7", [[1.0, 0.7]])
    store.commit([replace(late, media=Media(None, 5.0, -200.0, "aac", 48000, silent=True))])
    store.commit([Result("v8", Outcome.TOO_SHORT, Stage.DECODE, WHEN)])
    return store


def evaluation_of(predicted: dict[str, tuple[str, str, int]], created_at: datetime | None = None) -> Run:
    """A run that judged these videos: id -> label, prediction, fold."""
    rows = [(video_id, *judged) for video_id, judged in predicted.items()]
    table = pd.DataFrame(rows, columns=["id", "category", "predicted", "fold"])
    files = {"predictions.parquet": parquet_bytes(table)}
    return make_run("evaluate", PRINT, 0, 0, settings={}, results={}, files=files, created_at=created_at)


def ids(store: MemoryStore, text: str, run_id: str | None = None) -> set[str]:
    return set(matching(store, parse(text), PRINT, run_id))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "v1 v2 v3 v4 v5 v6 v7 v8 v9"),
        ("category=food", "v2 v4 v6"),
        ("category!=food", "v1 v3 v5 v7 v8 v9"),
        ("category in (food, lost)", "v2 v4 v6 v8"),
        ("category in ('', lost)", "v7 v8 v9"),
        ("category=", "v7 v9"),
        ("channel='Channel, 0' and category=food", "v6"),
        ("channel=", "v3 v8 v9"),
        ("channel!=", "v1 v2 v4 v5 v6 v7"),
        ("title~soup", "v1"),
        ("title~SOUP and title!~day", "v1"),
        ("description~CAFÉ", "v1"),
        ("id>v7", "v8 v9"),
        ("outcome=too_short", "v8"),
        ("outcome in (pending, too_short)", "v8 v9"),
        ("length=60.0", "v1 v2 v3 v4 v5 v6"),
        ("length>59.9 and length<=60", "v1 v2 v3 v4 v5 v6"),
        ("length<60", ""),
        ("length=", "v7 v8 v9"),
        ("length!=", "v1 v2 v3 v4 v5 v6"),
        ("loudness<-100", "v7"),
        ("silent=yes", "v7"),
        ("SILENT=No", "v1 v2 v3 v4 v5 v6"),
        ("silent=", "v8 v9"),
        ("View Count=1000", "v1 v3"),
        ("'View Count'!=1000.0", "v2 v4 v5 v6 v7 v8 v9"),
        ("'view count'>=1e3", "v1 v3 v6 v7"),
        ("View Count=20000000000000001", "v6"),
        ("View Count>20000000000000000", "v6"),
        ("View Count=many", "v5"),
        ("View Count>lots", "v5"),
        ("View Count=", "v4 v8 v9"),
        ("View Count~00", "v1 v6 v7"),
        ("Day>=2026-05-01 and Day<2026-07", "v5 v6"),
        ("list.fold=3", "v3 v7"),
    ],
)
def test_a_condition_is_true_of_these(text: str, expected: str) -> None:
    """Each operator on each kind of column finds just the videos that it is true of."""
    assert ids(made(), text) == set(expected.split())


def test_an_evaluation_tells_prediction_fold_and_right() -> None:
    """The latest one, or the one that is named; what it did not judge is neither right nor wrong."""
    store = made()
    early = evaluation_of({"v1": ("travel", "food", 3)}, datetime(2026, 1, 1, tzinfo=UTC))
    late = evaluation_of({"v1": ("travel", "travel", 0), "v2": ("food", "travel", 1), "v3": ("travel", "travel", 1)})
    store.add_run(early)
    store.add_run(late)
    assert ids(store, "right=yes") == {"v1", "v3"}
    assert ids(store, "right=no") == {"v2"}
    assert ids(store, "right=") == {f"v{n}" for n in range(4, 10)}
    assert ids(store, "prediction=travel and fold=1") == {"v2", "v3"}
    assert ids(store, "fold<1") == {"v1"}
    assert ids(store, "right=no", early.id) == {"v1"}
    assert ids(store, "fold=3.0 and right=false", early.id) == {"v1"}
    with pytest.raises(UsageError, match=f"No evaluation is called other: there are {early.id}, {late.id}"):
        ids(store, "right=no", "other")


def test_videos_that_a_caller_keeps_are_not_read_again() -> None:
    """Conditions are about the videos given, with whatever is told of them."""
    store = made()
    kept = [replace(video, title="Kept") for video in store.videos()[:2]]
    assert matching(store, parse("title=Kept"), PRINT, videos=kept) == {"v1", "v2"}


def test_without_an_evaluation_only_its_columns_are_refused() -> None:
    """The message names the command; a condition about anything else never looks for a run."""
    with pytest.raises(NotEnoughDataError, match="The column right is an evaluation's.*quartzlens evaluate"):
        ids(made(), "right=no")
    with pytest.raises(UsageError, match="No evaluation is called other: there is none yet"):
        ids(made(), "right=no", "other")
    assert ids(made(), "category=lost", "other") == {"v8"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("categry=food", "There is no column categry; did you mean category? The columns are id, title, "),
        ("zzzz=food", "There is no column zzzz. The columns are id, title, "),
        ("zzzz=food", "right, 'View Count', Day, list.fold."),
        ("category=foood", "No video has category=foood; there are food, lost, travel."),
        ("category!=foood", "No video has category=foood; there are food, lost, travel."),
        ("category in (food, Food)", "No video has category=Food; there are food, lost, travel."),
        ("length=30", "No video has length=30; there are 60."),
        ("loudness=1", "No video has loudness=1; there are -200, -20."),
        ("View Count=1", "No video has '\"View Count\"=1'; there are"),
        ("length=long", "length is compared with a number, and long is none."),
        ("length>", "length> says nothing: length is a number"),
        ("length~6", "length is a number: ~ looks into text alone."),
        ("silent=perhaps", "silent is yes or no, not perhaps."),
        ("silent>no", "silent>no says nothing"),
        ("title=a\x1b[31mred", "a�[31mred"),
        ("title=" + "x" * 99, "x…"),
    ],
)
def test_a_mistake_is_told_with_what_there_is(text: str, told: str) -> None:
    """An unknown column or value, and a comparison that means nothing, are one sentence with the way out."""
    with pytest.raises(UsageError) as caught:
        ids(made(), text)
    assert told in str(caught.value)
    assert str(caught.value).isprintable()


def test_of_many_values_the_nearest_are_named() -> None:
    """Where there are too many to list, text has its nearest, numbers their ends, and the rest is counted."""
    many = filled_store([row(n, f"category {n}") for n in range(1, 21)], [])
    with pytest.raises(UsageError, match="there are 'category 1', .* '17 others'. `~` finds"):
        ids(many, "category='catgory 1'")
    with pytest.raises(UsageError, match="there are '20 values'"):
        ids(many, "category=zzz")
    results = [replace(result(f"v{n}", [[1.0, 0.0]]), media=Media(1.5 * n, 1.0, -9.0, "aac", 1)) for n in range(1, 21)]
    many.commit(results)
    with pytest.raises(UsageError, match="No video has length=2: they are from 1.5 to 30; use < or >"):
        ids(many, "length=2")
    with pytest.raises(UsageError, match="No video has channel=a: channel is not known of any"):
        ids(many, "channel=a")
    many = filled_store([row(n, f"category {n}") for n in range(1, 5101)], [])
    with pytest.raises(UsageError, match="there are '5,100 values'"):
        ids(many, "category='category x'")


def test_a_column_of_the_lists_never_hides_another() -> None:
    """A list's own column of a name that is taken is asked for with `list.`, however often that is taken too."""
    store = filled_store([row(1, None, None, {"Fold": "a", "list.Fold": "b", "LIST.FOLD": "c", "x": ""})], [])
    assert Columns(store, PRINT).names[-4:] == ("list.Fold", "list.list.Fold", "LIST.FOLD", "x")
    assert ids(store, "list.Fold=a and list.list.Fold=b and LIST.FOLD=c") == {"v1"}
    with pytest.raises(UsageError, match="There is no column list.fold; did you mean"):
        ids(store, "list.fold=a")


texts = st.sampled_from(["food", "Food", "travel", "1", "1.0", "2", "", "Straße", "STRASSE", "-3e1", "nan"])
PLAIN: dict[str, Callable[[str, str], bool]] = {
    "=": lambda cell, asked: cell == asked or (number(cell) is not None and number(cell) == number(asked)),
    "~": lambda cell, asked: bool(cell) and asked.casefold() in cell.casefold(),
    "<": lambda cell, asked: below(cell, asked),
    ">": lambda cell, asked: below(asked, cell) if cell else False,
}


def number(text: str) -> float | None:
    return None if text in {"", "nan"} or text[0].isalpha() else float(text)


def below(cell: str, asked: str) -> bool:
    """By number where both are, by text where the one that is asked for is text."""
    one, other = number(cell), number(asked)
    return one < other if one is not None and other is not None else cell.casefold() < asked.casefold()


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=12), st.data())
def test_what_matches_is_what_a_plain_filter_keeps(cells: list[tuple[str, str]], data: st.DataObject) -> None:
    """Conditions over columns of the lists keep just the videos that a filter written in Python keeps."""
    store = filled_store([row(n, None, None, {"a": a, "b": b}) for n, (a, b) in enumerate(cells)], [])
    chosen = []
    for column in data.draw(st.lists(st.sampled_from("ab"), max_size=3)):
        there = sorted({video.extra[column] for video in store.videos()})
        name = data.draw(st.sampled_from(["=", "!=", "~", "!~", "in"]))
        values = data.draw(st.lists(st.sampled_from(there), min_size=1, max_size=2 if name == "in" else 1))
        chosen.append((column, name, values))

    def keeps(video: Video) -> bool:
        for column, name, values in chosen:
            test = PLAIN["=" if name == "in" else name.strip("!")]
            if any(test(video.extra[column], value) for value in values) is name.startswith("!"):
                return False
        return True

    where = Where(tuple(Condition(column, "=" if name == "in" else name, tuple(v)) for column, name, v in chosen))
    assert matching(store, where, PRINT) == {video.id for video in store.videos() if keeps(video)}


@given(st.lists(texts, min_size=1), texts.filter(bool), st.sampled_from("<>"))
def test_order_is_that_of_numbers_where_both_are_else_of_text(cells: list[str], asked: str, name: str) -> None:
    """Less and more agree with Python's order of floats, and with that of text without its case."""
    store = filled_store([row(n, None, None, {"a": cell}) for n, cell in enumerate(cells)], [])
    kept = {f"v{n}" for n, cell in enumerate(cells) if cell and PLAIN[name](cell, asked)}
    if number(asked) is not None:
        kept = {f"v{n}" for n, cell in enumerate(cells) if number(cell) is not None and PLAIN[name](cell, asked)}
    assert matching(store, Where((Condition("a", name, (asked,)),)), PRINT) == kept  # type: ignore[arg-type]


def test_without_conditions_all_are_asked_for_and_no_evaluation() -> None:
    """None is all; an evaluation that is named beside no condition about one is an error, not passed over."""
    store = made()
    assert asked_within(store, Where(), PRINT) is None
    assert asked_within(store, parse("id=v1"), PRINT) == {"v1"}
    for where in ("", "id=v1 and list.fold=1"):
        with pytest.raises(UsageError, match="x is looked at only for conditions on prediction, fold, right"):
            asked_within(store, parse(*[where] * bool(where)), PRINT, "x")
    with pytest.raises(UsageError, match="No evaluation is called x"):
        asked_within(store, parse("Right=no"), PRINT, "x")

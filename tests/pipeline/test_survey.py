"""What lists hold, counted before anything is asked for."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.identity import damaged, video_id, youtube_link
from pipeline.sources import SourceList, read_source
from pipeline.stripping import BEGINNING, END
from pipeline.survey import (
    DAMAGE,
    DEFINITIONS,
    Count,
    Place,
    Survey,
    beyond_first,
    by_damage,
    damage_of,
    lengths,
    n_rows,
    survey,
    totals,
)
from quartzlens.records import BadRow, Row

Cells = tuple[str, str, str | None, str | None]

SOURCES = [
    *map(youtube_link, ("dQw4w9WgXcQ", "-wtIMTCHWuI", "JLZlCZ0", "a", "#NAME?", "abcdefghijkl")),
    *(
        "https://youtu.be/",
        "https://example.org/a.mp4",
        "HTTPS://EXAMPLE.org/a.mp4#later",
        "/media/a.wav",
        "/media/b.wav",
    ),
]
NAMES = st.sampled_from([None, "food", "travel", "history"])
CELLS = st.lists(st.tuples(st.sampled_from(SOURCES), st.sampled_from(["", "One", "Two"]), NAMES, NAMES), max_size=30)


def surveyed(folder: Path, text: str) -> Survey:
    """The survey of a list with this text."""
    (folder / "list.csv").write_text(text, encoding="utf-8")
    return survey([read_source(str(folder / "list.csv"))])


def listed(cells: list[Cells], bad: int = 0, name: str = "list") -> SourceList:
    """A list of rows with source, title, channel and label, and of bad rows after them."""
    rows = [
        Row(name, number, video_id(source), source, title, channel=channel, label=label)
        for number, (source, title, channel, label) in enumerate(cells, start=1)
    ]
    return SourceList(name, tuple(rows), tuple(BadRow(name, len(rows) + 1 + one, "no path") for one in range(bad)))


def test_repeats_and_conflicts_are_told_with_their_rows(tmp_path: Path) -> None:
    """A repetition is a row beyond the first; an id conflicts where its rows name more than one category."""
    found = surveyed(
        tmp_path,
        "link,title,category\n"
        "dQw4w9WgXcQ,One,food\n"
        "https://youtu.be/dQw4w9WgXcQ,Two,travel\n"
        "-wtIMTCHWuI,Two,food\n"
        "dQw4w9WgXcQ,Two,food\n"
        "-wtIMTCHWuI,,\n",
    )
    name = found.lists[0]
    assert (found.rows, found.usable_rows, found.videos, found.links, found.files) == (5, 5, 2, 2, 0)
    assert [(one.text, [place.number for place in one.places]) for one in found.repeated_ids] == [
        ("dQw4w9WgXcQ", [1, 2, 4]),
        ("-wtIMTCHWuI", [3, 5]),
    ]
    assert beyond_first(found.repeated_ids) == 3
    assert [(one.text, one.places) for one in found.repeated_titles] == [
        ("Two", (Place(name, 2), Place(name, 3), Place(name, 4)))
    ]
    assert [(one.text, one.categories) for one in found.conflicts] == [
        ("dQw4w9WgXcQ", (Count("food", 2), Count("travel", 1)))
    ]
    assert (found.categories, found.rows_without_category) == ((Count("food", 3), Count("travel", 1)), 1)


def test_rows_that_cannot_be_used_are_told_by_reason_and_number(tmp_path: Path) -> None:
    """They count as rows and in nothing else."""
    found = surveyed(tmp_path, "link,category\n,food\nJLZlCZ0,food\n,travel\ndQw4w9WgXcQ\n")
    assert (found.rows, found.usable_rows, found.videos, found.categories) == (4, 1, 1, (Count("food", 1),))
    assert [(one.text, [place.number for place in one.places]) for one in found.unusable] == [
        ("no path and no link: link is empty", [1, 3]),
        ("1 columns where the header has 2", [4]),
    ]


def test_playlists_are_counted_and_nothing_is_known_of_them(tmp_path: Path) -> None:
    """They are rows that lead to no one video: in no other count, and no damaged ids."""
    text = (
        "link,category\nhttps://www.youtube.com/@me,food\nhttps://www.youtube.com/playlist?list=PLa,\ndQw4w9WgXcQ,\n,\n"
    )
    found = surveyed(tmp_path, text)
    assert (found.rows, found.playlists, found.usable_rows, found.videos, found.damaged) == (4, 2, 1, 1, ())
    assert (totals(found)["bad_rows"], found.categories) == (1, ())


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (youtube_link("dQw4w9WgXcQ"), None),
        ("https://example.org/JLZlCZ0", None),
        ("/media/JLZlCZ0", None),
        (youtube_link("JLZlCZ0"), "incomplete"),
        (youtube_link("#NAME?"), "spreadsheet_error"),
        (youtube_link("#N/A"), "spreadsheet_error"),
        (youtube_link("#NAMED"), "not_an_id"),
        (youtube_link("abcdefghijkl"), "not_an_id"),
        ("https://www.youtube.com/watch", "no_id"),
    ],
)
def test_every_damaged_id_has_one_kind(source: str, kind: str | None) -> None:
    """A source has a kind of damage exactly where an ingest would refuse it before any request."""
    assert damage_of(source) == kind
    assert (kind is None) == (damaged(source) is None)
    assert kind is None or kind in DAMAGE


def test_damaged_ids_are_counted_by_kind_and_length(tmp_path: Path) -> None:
    """Rows and different ids of each kind; an address without an id has length 0."""
    cells = ["JLZlCZ0", "JLZlCZ0", "WgXcQ", "#NAME?", "#NAME?", "https://youtu.be/", "dQw4w9WgXcQ"]
    found = surveyed(tmp_path, "link\n" + "\n".join(cells) + "\n")
    kinds = by_damage(found.damaged)
    assert {kind: [(one.text, len(one.places)) for one in ids] for kind, ids in kinds.items()} == {
        "incomplete": [("JLZlCZ0", 2), ("WgXcQ", 1)],
        "spreadsheet_error": [("#NAME?", 2)],
        "no_id": [("https://youtu.be/", 1)],
        "not_an_id": [],
    }
    assert lengths(found.damaged) == {0: 1, 5: 1, 6: 2, 7: 2}
    assert (found.videos, found.links) == (5, 1)


def test_several_lists_are_one_survey_and_each_counts_once() -> None:
    """The same id in two lists is one video with two places; a list that is named twice is read as one."""
    here, there = (listed([(SOURCES[0], "One", None, "food")], name=name) for name in ("here", "there"))
    found = survey([here, there, here])
    assert (found.lists, found.rows, found.videos) == (("here", "there"), 2, 1)
    assert found.repeated_ids[0].places == (Place("here", 1), Place("there", 1))


@given(CELLS, st.integers(0, 3))
def test_counts_add_up(cells: list[Cells], bad: int) -> None:
    """Parts sum to their whole, whatever a list holds."""
    found = survey([listed(cells, bad)])
    assert found.rows == found.usable_rows + n_rows(found.unusable) == len(cells) + bad
    assert sum(one.rows for one in found.categories) + found.rows_without_category == found.usable_rows
    assert sum(one.rows for one in found.channels) + found.rows_without_channel == found.usable_rows
    assert found.videos == found.links + found.files + len(found.damaged)
    assert found.videos == found.usable_rows - beyond_first(found.repeated_ids)
    assert sum(lengths(found.damaged).values()) == n_rows(found.damaged)
    assert sum(map(len, by_damage(found.damaged).values())) == len(found.damaged)
    assert n_rows(found.damaged) == sum(damaged(source) is not None for source, *_ in cells)
    assert {one.text for one in found.conflicts} <= {one.text for one in found.repeated_ids}
    assert totals(found).keys() == DEFINITIONS.keys()


@given(CELLS.flatmap(lambda cells: st.tuples(st.just(cells), st.permutations(cells))))
def test_the_order_of_rows_matters_to_their_numbers_alone(orders: tuple[list[Cells], list[Cells]]) -> None:
    """The same rows in another order are the same survey, but for the numbers."""
    one, other = (survey([listed(cells)]) for cells in orders)
    assert totals(one) == totals(other)
    assert (one.categories, one.channels, one.stripped) == (other.categories, other.channels, other.stripped)
    for shared in ("repeated_ids", "repeated_titles", "conflicts", "damaged"):
        mine, theirs = (
            [(each.text, len(each.places), getattr(each, "categories", ())) for each in getattr(found, shared)]
            for found in (one, other)
        )
        assert mine == theirs


@pytest.mark.realdata
def test_the_youtube_list_is_counted(data: Path) -> None:
    """3,599 rows of 3,432 ids; 167 repeated ids, 200 repeated titles, 9 ids under several categories, 1,497 damaged."""
    found = survey([read_source(str(data / "youtube.csv"))])
    assert totals(found) == {
        "rows": 3599,
        "bad_rows": 0,
        "playlists": 0,
        "usable_rows": 3599,
        "videos": 3432,
        "channels": 1907,
        "repeated_ids": 167,
        "repeated_titles": 200,
        "ids_under_several_categories": 9,
        "damaged_ids": 1497,
    }
    categories = [(one.name, one.rows) for one in found.categories]
    assert categories == [("travel", 1156), ("art_music", 947), ("food", 903), ("history", 593)]
    largest = [(one.name, one.rows) for one in found.channels[:3]]
    assert largest == [("CrashCourse", 56), ("Bollywood Hits Songs", 53), ("T-Series", 48)]


@pytest.mark.realdata
def test_the_youtube_lists_damage_is_explained_by_its_ids(data: Path) -> None:
    """14 letters were stripped from both ends of its 3,431 ids, and a spreadsheet took 63 ids for formulas."""
    found = survey([read_source(str(data / "youtube.csv"))])
    kinds = {kind: (n_rows(ids), len(ids)) for kind, ids in by_damage(found.damaged).items()}
    assert kinds == {"incomplete": (1434, 1391), "spreadsheet_error": (63, 1), "no_id": (0, 0), "not_an_id": (0, 0)}
    assert lengths(found.damaged) == {4: 2, 5: 3, 6: 71, 7: 31, 8: 99, 9: 339, 10: 952}
    assert [(one.end, one.address, set(one.letters), one.n_ids) for one in found.stripped] == [
        (end, "https://www.youtube.com/watch?v=", set("htpswyoubecmav"), 3431) for end in (BEGINNING, END)
    ]
    assert found.stripped[0].log10_chance == pytest.approx(-367.8, abs=0.1)

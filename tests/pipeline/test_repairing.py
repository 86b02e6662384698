"""Repairing a list without a site: what is due, what is looked up, and what is written."""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipeline.answers import answers_in
from pipeline.asking import AskOptions
from pipeline.container import Refusal
from pipeline.damaged_list import DamagedList, check_output
from pipeline.pace import Wait
from pipeline.pool import ClosedError
from pipeline.repair import Wanted
from pipeline.repairing import UnreachedError, asking, due, find, work_through
from pipeline.search import Hit
from pipeline.sources import REPAIR_COLUMNS, read_source
from pipeline.work import Refused
from quartzlens.errors import UsageError
from quartzlens.outcomes import Outcome, Stage
from quartzlens.spreadsheet import harmless
from tests.pipeline.damaged_lists import GONE, WATCH, Site, repaired, rows_of, stripped_list

LIST = Path("list.csv")
ONE = Wanted("One", "C", "JLZlCZ0")
BROKEN = Refused(Outcome.NETWORK, Stage.DOWNLOAD, "no route (after 3 tries)")
GONE_FOR_GOOD = Refused(Outcome.REFUSED_LINK, Stage.DOWNLOAD, "not public")


def test_what_is_due(tmp_path: Path) -> None:
    """Each once; what was never asked first, then whatever failed; what was not found only when asked for."""
    wanted = [Wanted(str(n), "C", "JLZlCZ0") for n in range(5)]
    path = tmp_path / "a.jsonl"
    with answers_in(path, LIST) as answers:
        for one, answer in zip(wanted, [BROKEN, (), GONE_FOR_GOOD, (Hit("ehmsJLZlCZ0", "3", "C"),)], strict=False):
            answers.add(one, answer)
    with answers_in(path, LIST) as answers:
        untitled = Wanted("  ", "C", "JLZlCZ0")
        damaged = DamagedList.open(causing(tmp_path))
        assert due([*wanted, *wanted, untitled], answers, damaged.causes) == (wanted[4], wanted[0], wanted[2])
        assert due(wanted, answers, damaged.causes, again=True) == (wanted[4], *wanted[:3])


def test_portions_of_a_retry_get_through_a_list(tmp_path: Path) -> None:
    """What was asked for longest ago comes first, failed or not found, and what a run asked for is done with."""
    stripped_list(tmp_path / "list.csv")
    site, titles = Site({"Title 1": BROKEN}), []
    with answers_in(tmp_path / "a.jsonl", LIST) as answers:
        damaged = DamagedList.open(tmp_path / "list.csv")
        work_through(due(damaged.wanted.values(), answers, damaged.causes), site.ask, answers, damaged.causes)
    n = len(damaged.wanted)
    for _ in range(3):
        with answers_in(tmp_path / "a.jsonl", LIST) as answers:
            now = due(damaged.wanted.values(), answers, damaged.causes, again=True)
            work_through(now[: n // 3], site.ask, answers, damaged.causes)
            titles += [one.title for one in now[: n // 3]]
            left = due(damaged.wanted.values(), answers, damaged.causes, again=True)
            assert len(set(left) - {one for one in left if isinstance(answers.get(one), Refused)}) >= n - n // 3 - 1
            assert set(now[n // 3 :]) <= set(left)
    assert len(set(titles)) == len(titles) == 3 * (n // 3)


def causing(folder: Path) -> Path:
    """A list that shows its causes."""
    stripped_list(folder / "causes.csv")
    return folder / "causes.csv"


def test_an_unknown_channel_is_looked_up_before_it_counts(tmp_path: Path) -> None:
    """One more request settles it; where that fails by anything but the video itself, so did the search."""
    causes = DamagedList.open(causing(tmp_path)).causes
    bare, told = Hit("ehmsJLZlCZ0", "One", None), Hit("ehmsJLZlCZ0", "One", "C")
    site = Site({"One": (Hit("x" * 11, "One", None), bare)}, {bare.youtube_id: told})
    assert find(ONE, causes, site.ask) == (Hit("x" * 11, "One", None), told)
    assert site.asked == {("search", "One"): 1, ("look_up", bare.youtube_id): 1}
    site.videos = {bare.youtube_id: BROKEN}
    assert find(ONE, causes, site.ask) == BROKEN
    site.videos = {bare.youtube_id: Refused(Outcome.PRIVATE, Stage.DOWNLOAD, "private")}
    assert find(ONE, causes, site.ask) == site.found["One"]
    site.videos = {bare.youtube_id: GONE_FOR_GOOD}
    assert find(ONE, causes, site.ask) == GONE_FOR_GOOD
    assert find(Wanted("Two", "C", "JLZlCZ0"), causes, Site({"Two": BROKEN}).ask) == BROKEN


def test_a_hostile_search_costs_few_looks(tmp_path: Path) -> None:
    """Of twenty hits that would fit but for their channels, three are looked up."""
    causes = DamagedList.open(causing(tmp_path)).causes
    hits = tuple(Hit(f"{GONE[n]}hmsJLZlCZ0", "One", None) for n in range(14))
    site = Site({"One": hits}, {hit.youtube_id: hit for hit in hits})
    find(ONE, causes, site.ask)
    assert site.asked.total() == 4


def test_a_run_ends_where_it_is_told_to(tmp_path: Path) -> None:
    """After a stop and after the hours nothing is begun; what a closed asker did not answer stays unanswered."""
    wanted, stop = [Wanted(str(n), "C", "JLZlCZ0") for n in range(5)], threading.Event()
    site = Site({"4": ClosedError("ended")})
    with answers_in(tmp_path / "a.jsonl", LIST) as answers:
        work_through(wanted, site.ask, answers, (), max_hours=0.0)
        assert site.asked.total() == 0
        work_through(wanted, site.ask, answers, (), lambda one, _: one.title == "1" and stop.set(), stop=stop)
        assert site.asked == {("search", "0"): 1, ("search", "1"): 1}
        work_through(wanted[2:], site.ask, answers, (), max_hours=1.0)
        assert [answers.get(one) for one in wanted] == [(), (), (), (), None]


def test_a_run_ends_where_nothing_can_be_reached(tmp_path: Path) -> None:
    """Five searches in a row without a network end it, those four in a row do not; all answers are kept."""
    wanted = [Wanted(str(n), "C", "JLZlCZ0") for n in range(12)]
    site = Site({one.title: BROKEN for one in wanted if one.title != "4"})
    with answers_in(tmp_path / "a.jsonl", LIST) as answers:
        with pytest.raises(UnreachedError, match="run the same command again"):
            work_through(wanted, site.ask, answers, ())
        assert [answers.get(one) for one in wanted] == [*[BROKEN] * 4, (), *[BROKEN] * 5, None, None]


@pytest.mark.parametrize(("n", "said"), [(1, "one search"), (3, "3 searches in a row")])
def test_a_short_run_that_reaches_nothing_says_why(tmp_path: Path, n: int, said: str) -> None:
    """Fewer than five searches, all without a network, end as more would; where one comes through, they do not."""
    wanted = [Wanted(str(number), "C", "JLZlCZ0") for number in range(n)]
    with answers_in(tmp_path / "a.jsonl", LIST) as answers:
        with pytest.raises(UnreachedError, match=rf"not reached by {said}: no route \(after 3 tries\)\."):
            work_through(wanted, Site(dict.fromkeys("012", BROKEN)).ask, answers, ())
        work_through(wanted, Site(dict.fromkeys("12", BROKEN)).ask, answers, ())


def test_a_stop_ends_a_long_wait(tmp_path: Path) -> None:
    """A site that asked to slow down is not waited for by who wants to stop."""
    stop, told = threading.Event(), []

    def on_wait(wait: Wait) -> None:
        if wait.slowed:
            told.append(wait.seconds)
            stop.set()

    options = AskOptions(tmp_path / "incoming", 0.0, patient=True)
    with pytest.raises(ClosedError), asking(options, stop, on_wait) as ask:
        for _ in range(2):
            ask(limited)
    assert told[0] > 30


def limited(*_: object) -> Any:
    """A request that a site answers by asking to slow down."""
    return Refusal(Outcome.RATE_LIMITED, "HTTP Error 429")


def test_a_list_is_repaired(tmp_path: Path) -> None:
    """Every damaged row gets the link of its video, all others stay, and the new columns tell what was done."""
    truth = stripped_list(tmp_path / "list.csv")
    site = Site({title: (Hit(one, title, f"channel  {title[-1]}"),) for title, one in truth.items()})
    repaired(tmp_path, site)
    rows = rows_of(tmp_path / "out.csv")
    assert list(rows[0]) == ["link", "title", "channel", *REPAIR_COLUMNS]
    for row, before in zip(rows, rows_of(tmp_path / "list.csv"), strict=True):
        whole = truth[row["title"]]
        if len(before["link"]) == 11:
            assert (row["link"], *(row[name] for name in REPAIR_COLUMNS)) == (whole, "", "", "", "")
        else:
            assert row["link"] == WATCH + whole
            assert (row["repair"], harmless(before["link"]), row["repair_candidates"]) == (
                "repaired",
                row["repair_was"],
                "",
            )
    read = read_source(str(tmp_path / "out.csv"))
    assert [row.video_id for row in read.rows] == list(truth.values())
    assert not read.bad_rows
    asked = site.asked.total()
    repaired(tmp_path, site)
    assert site.asked.total() == asked, "nothing is asked twice"


def test_a_person_may_put_links_into_the_list(tmp_path: Path) -> None:
    """A whole id with its address is no evidence against the damage of those without: what was repaired stays so."""
    truth = stripped_list(tmp_path / "list.csv")
    site = Site({title: (Hit(one, title, f"Channel {title[-1]}"),) for title, one in truth.items()})
    repaired(tmp_path, site)
    before = Counter(row["repair"] for row in rows_of(tmp_path / "out.csv"))
    title, whole = next((title, one) for title, one in truth.items() if one[0] in GONE and one[-1] in GONE)
    text = (tmp_path / "list.csv").read_text("utf-8")
    text = text.replace(f"{whole.strip(WATCH)},{title},", f"{WATCH}{whole},{title},")
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    repaired(tmp_path, site)
    after = Counter(row["repair"] for row in rows_of(tmp_path / "out.csv"))
    assert after == before - Counter(repaired=1) + Counter([""])


def test_a_bare_id_may_be_put_right_in_the_list(tmp_path: Path) -> None:
    """A whole id without its address, which begins and ends as no stripped one does, leaves all repaired."""
    truth = stripped_list(tmp_path / "list.csv", 400)
    site = Site({title: (Hit(one, title, f"Channel {title[-1]}"),) for title, one in truth.items()})
    repaired(tmp_path, site)
    before = Counter(row["repair"] for row in rows_of(tmp_path / "out.csv"))
    with (tmp_path / "list.csv").open("a", encoding="utf-8") as file:
        file.write("hGyhH8mZ0Qk,Another,Channel\nhGyhH8mZ0Qw,Third,Channel\n")
    repaired(tmp_path, site)
    assert Counter(row["repair"] for row in rows_of(tmp_path / "out.csv")) == before + Counter({"": 2})


def test_a_list_with_addresses_is_repaired_too(tmp_path: Path) -> None:
    """Where all cells have an address, as somebody put it back, they are the evidence."""
    truth = stripped_list(tmp_path / "list.csv")
    lines = (tmp_path / "list.csv").read_text("utf-8").splitlines()
    text = "\n".join([lines[0], *(WATCH + line for line in lines[1:])])
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    repaired(tmp_path, Site({title: (Hit(one, title, f"Channel {title[-1]}"),) for title, one in truth.items()}))
    assert [row.video_id for row in read_source(str(tmp_path / "out.csv")).rows] == list(truth.values())


def test_unusable_rows_stay_unusable(tmp_path: Path) -> None:
    """A row that is too wide by as many cells as there are new columns is no good row of the repaired list."""
    text = "link,title,channel\nJLZlCZ0,One,C\n\nJLZlCZ0,a,b,c,d,e,f\nJLZlCZ0\n,Nothing,C\nJLZlCZ1,Two,C\n"
    (tmp_path / "list.csv").write_text(text)
    damaged = repaired(tmp_path, Site({}))
    assert list(damaged.wanted) == [1, 5]
    read = read_source(str(tmp_path / "out.csv"))
    assert [bad.number for bad in read.bad_rows] == [2, 3, 4]
    written = rows_of(tmp_path / "out.csv")
    assert [row.number for row in read.rows] == [1, 5]
    assert [written[number - 1]["repair"] for number in (1, 5)] == ["not found", "not found"]


def test_strangers_words_are_no_formulas(tmp_path: Path) -> None:
    """What is written into the new columns begins as text, without control characters."""
    (tmp_path / "list.csv").write_text("link,title,channel\n-LZlCZ0,=1+1,@C\n")
    repaired(tmp_path, Site({"=1+1": (Hit("ab-LZlCZ0cd", '=HYPERLINK("x")\x1b[31m\u202e', "@C"),)}))
    (row,) = rows_of(tmp_path / "out.csv")
    assert row["link"] == "-LZlCZ0"
    assert (row["title"], row["channel"]) == ("=1+1", "@C")
    assert row["repair"] == "unconfirmed"
    assert row["repair_was"] == "'-LZlCZ0"
    assert row["repair_candidates"] == 'https://www.youtube.com/watch?v=ab-LZlCZ0cd | @C | =HYPERLINK("x")[31m'
    for begin in "=+-@":
        assert harmless(f"\t\r{begin}1") == f"'{begin}1"


def test_lists_that_cannot_be_repaired_are_wrong_usage(tmp_path: Path) -> None:
    """A folder, a list without titles, a repaired list, and an output that would destroy something."""
    (tmp_path / "no-title.csv").write_text("link\nJLZlCZ0\n")
    (tmp_path / "done.csv").write_text(f"link,title,{','.join(REPAIR_COLUMNS)}\nJLZlCZ0,One,,,,\n")
    (tmp_path / "own.csv").write_text("link,title,Repair\nJLZlCZ0,One,of my car\n")
    (tmp_path / "empty.csv").write_bytes(b"\xef\xbb\xbf\n")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "other.csv").write_text("link,title\nJLZlCZ0,One\n")
    for name, words in (
        ("", "is no list"),
        ("missing.csv", "is no list"),
        ("no-title.csv", "no column 'title'"),
        ("done.csv", "was written by repair"),
        ("own.csv", "has a column 'repair'.* rename"),
    ):
        with pytest.raises(UsageError, match=words):
            DamagedList.open(tmp_path / name)
    for name, words in (
        ("other.csv", "was not written by repair"),
        ("own.csv", "was not written by repair"),
        ("folder.csv", "was not written by repair"),
        ("new.xlsx", "is a .csv file"),
        ("no/new.csv", "in a folder that is there"),
    ):
        with pytest.raises(UsageError, match=words):
            check_output(tmp_path / name)
    check_output(tmp_path / "done.csv")
    check_output(tmp_path / "empty.csv")
    check_output(tmp_path / "new.csv")

"""The true list, repaired from a made-up truth by a search that knows it."""

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.damaged_list import DamagedList
from pipeline.repair import Wanted
from pipeline.rewrite import Original
from pipeline.search import Hit
from pipeline.sources import read_source
from tests.pipeline.damaged_lists import Site, made_up_ids, made_up_whole, repaired, rows_of

Real = tuple[Path, DamagedList, Site, dict[int, str]]


def undamaged(row: Sequence[str]) -> bool:
    """Whether a row of the real list has its whole id."""
    return len(row[0]) == 11


@pytest.fixture(scope="module")
def real(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Real:
    """The real list, repaired from a made-up truth: for every damaged id a whole one that it may have been."""
    folder, draw = tmp_path_factory.mktemp("real"), random.Random(0)
    (folder / "list.csv").write_bytes((data / "youtube.csv").read_bytes())
    truth, found = {}, {}
    whole_of: dict[Wanted, str] = {}
    for number, wanted in DamagedList.open(folder / "list.csv").wanted.items():
        whole = whole_of.setdefault(wanted, made_up_whole(draw, wanted.letters))
        truth[number] = whole
        found.setdefault(wanted.title, []).append(Hit(whole, wanted.title, wanted.channel))
    crowd = [Hit(one, "Other", "Other") for one in made_up_ids(15)]
    site = Site({title: (*crowd, *dict.fromkeys(hits)) for title, hits in found.items()})
    return folder, repaired(folder, site), site, truth


@pytest.mark.realdata
def test_the_real_list_is_repaired(real: Real) -> None:
    """All 1,434 incomplete ids are repaired, all 63 of the spreadsheet are left to a person with the true candidate."""
    folder, damaged, _, truth = real
    rows = {row.number: row for row in read_source(str(folder / "out.csv")).rows}
    assert len(rows) == 3599
    assert len(truth) == 1497
    incomplete = [number for number, wanted in damaged.wanted.items() if wanted.letters]
    assert len(incomplete) == 1434
    assert all(rows[number].video_id == truth[number] for number in incomplete)
    written = rows_of(folder / "out.csv")
    assert Counter(row["repair"] for row in written) == {"": 2102, "repaired": 1434, "unconfirmed": 63}
    for number in truth.keys() - set(incomplete):
        assert truth[number] in written[number - 1]["repair_candidates"]
        assert written[number - 1]["repair_was"] == "#NAME?"


@pytest.mark.realdata
def test_a_bare_id_put_into_the_real_list_changes_no_repair(real: Real) -> None:
    """A whole id that begins with one of the stripped letters leaves every row as repaired as it was."""
    folder, _, site, truth = real
    mine = folder.with_name("mine")
    mine.mkdir()
    row = 'hGyhH8mZ0Qk,Another,"Channel\nmore",food\n'
    (mine / "list.csv").write_bytes((folder / "list.csv").read_bytes() + row.encode())
    repaired(mine, Site(site.found))
    rows = {row.number: row for row in read_source(str(mine / "out.csv")).rows}
    assert rows[1].video_id == truth[1]
    verdicts = Counter(row["repair"] for row in rows_of(mine / "out.csv"))
    assert verdicts == {"": 2103, "repaired": 1434, "unconfirmed": 63}


@pytest.mark.realdata
def test_repeated_ids_of_the_real_list_cost_one_search(real: Real) -> None:
    """1,497 rows take 1,451 searches, and a second run takes none."""
    folder, damaged, site, _ = real
    assert site.asked.total() == len(set(damaged.wanted.values())) == 1451
    repaired(folder, site)
    assert site.asked.total() == 1451


@pytest.mark.realdata
def test_other_rows_of_the_real_list_keep_every_byte(real: Real) -> None:
    """Without the new columns the text of the rows is that of the list."""
    folder = real[0]
    before, after = Original.read(folder / "list.csv"), Original.read(folder / "out.csv")
    assert [row[1:4] for row in before.rows] == [row[1:4] for row in after.rows]
    assert [row for row in before.rows if undamaged(row)] == [row[:4] for row in after.rows if undamaged(row)]
    before.write(folder / "same.csv", (), {})
    assert (folder / "same.csv").read_bytes() == (folder / "list.csv").read_bytes()

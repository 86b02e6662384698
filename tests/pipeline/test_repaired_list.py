"""A repaired list takes the place of the list that it was made from."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.answers import answers_in
from pipeline.damaged_list import DamagedList
from pipeline.identity import damaged
from pipeline.repairing import work_through
from pipeline.search import Hit
from pipeline.sources import REPAIR_COLUMNS, SourceList, read_source
from quartzlens.outcomes import Outcome
from store.base import Store
from store.local import LocalStore
from store.memory import MemoryStore
from tests.pipeline.damaged_lists import Site, stripped_list
from tests.store.things import FINGERPRINT, axis, failed, ok


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of every kind."""
    (tmp_path / "collection").mkdir()
    with MemoryStore() if request.param == "memory" else LocalStore(tmp_path / "collection") as made:
        yield made


def repaired_list(folder: Path) -> tuple[Path, Path, dict[str, str]]:
    """A list with categories and a row that cannot be used, its repair, and the whole id of every title."""
    path, output = folder / "my.list.csv", folder / "my.list.repaired.csv"
    truth = stripped_list(path)
    header, *rows = path.read_text().splitlines()
    labelled = [f"{row},{'food' if n % 2 else 'travel'}" for n, row in enumerate(rows)]
    path.write_text("\n".join([f"{header},category", *labelled[:9], "too,few", *labelled[9:], ""]))
    opened = DamagedList.open(path)
    found = {title: (Hit(one, title, f"Channel {title[-1]}"),) for title, one in list(truth.items())[:-20]}
    with answers_in(folder / "kept.jsonl", path) as answers:
        work_through(list(opened.wanted.values()), Site(found).ask, answers, opened.causes)
        opened.write(output, answers)
    return path, output, truth


def add(store: Store, one: SourceList) -> None:
    """Ingest a list's rows."""
    store.add_rows(one.name, one.rows, one.bad_rows)


def test_repaired_videos_are_lost_no_more(store: Store, tmp_path: Path) -> None:
    """Damaged ids that were repaired leave the collection, their labels are the videos', what was embedded stays so."""
    path, output, truth = repaired_list(tmp_path)
    add(store, read_source(str(path)))
    whole = [video.id for video in store.videos() if damaged(video.source) is None]
    lost = [video.id for video in store.videos() if damaged(video.source)]
    store.commit([*(ok(one, axis(0)) for one in whole), *(failed(one, Outcome.DAMAGED_LINK) for one in lost)])
    add(store, read_source(str(output)))
    left = {title: video.id for video in store.videos() for title in [video.title] if damaged(video.source)}
    assert left
    assert set(left) <= set(list(truth)[-20:])
    n_found = len(lost) - len(left)
    counts = Counter(video.outcome for video in store.videos())
    assert counts == {Outcome.OK: len(whole), Outcome.DAMAGED_LINK: len(left), None: n_found}
    assert {video.title: video.id for video in store.videos()} == truth | left
    assert store.embeddings(FINGERPRINT).ids == tuple(whole)
    assert (store.info().rows, len(store.info().bad_rows)) == (len(truth), 1)
    given = {video.title: video.categories for video in store.videos()}
    assert given == {title: ("food",) if n % 2 else ("travel",) for n, title in enumerate(truth)}
    before = (store.videos(), store.labels(), store.info())
    add(store, read_source(str(output)))
    assert (store.videos(), store.labels(), store.info()) == before


def test_a_repaired_list_has_the_name_and_the_columns_of_its_list(tmp_path: Path) -> None:
    """Also its playlists' rows and those that cannot be used; what repair wrote is in the file and no video's."""
    header = ",".join(["link", "title", "note", *REPAIR_COLUMNS])
    text = f"{header}\ndQw4w9WgXcQ,T,n,repaired,sure,x,y\nyoutube.com/@me,P,,,,,\n,,,,,,\n"
    (tmp_path / "list.repaired.TSV").write_text(text.replace(",", "\t"))
    one = read_source(str(tmp_path / "list.repaired.TSV"))
    name = str(tmp_path / "list.TSV")
    places = [*(row.source_list for row in (*one.rows, *one.bad_rows)), *(each.source_list for each in one.playlists)]
    assert (one.name, places) == (name, [name] * 3)
    assert dict(one.rows[0].extra) == {"note": "n"}


def test_other_lists_keep_their_names(tmp_path: Path) -> None:
    """Those that repair wrote under another name, those that only look like it, and those without all four columns."""
    every = ",".join(REPAIR_COLUMNS)
    for name, columns in (("mine.csv", every), (".repaired.csv", every), ("a.repaired.csv", "repair,repair_sure")):
        (tmp_path / name).write_text(f"link,{columns}\ndQw4w9WgXcQ{',' * len(columns.split(','))}\n")
        one = read_source(str(tmp_path / name))
        assert one.name == one.rows[0].source_list == str(tmp_path / name)
    assert set(one.rows[0].extra) == {"repair", "repair_sure"}

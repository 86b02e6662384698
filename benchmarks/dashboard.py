"""What a person waits for in Chromium before the dashboard, beside bare Streamlit pages; and the server's memory."""

import json
import os
import statistics
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page

from analysis.cells import Rank, behind, ranked
from analysis.evaluation import latest_evaluation
from analysis.evidence_timeline import categories_of
from analysis.metrics import confusion_cells
from benchmarks import watching
from benchmarks.report import Table, milliseconds
from benchmarks.sizes import size
from benchmarks.timing import PAIRS, in_turn, median_ratio
from benchmarks.watching import (
    APP,
    BARE,
    DRAWN,
    ELEMENTS,
    SETTLED,
    Served,
    seconds_after_click,
    seconds_until,
    served,
    window,
)
from store.collection import open_collection
from store.indexing import keep_up
from tests.dashboard.large import Large, lay_out, make_large

VIEWS = ("Overview", "Map", "Classifier", "Errors", "Similar", "Labels")
FIRST_LISTED = """[...document.querySelectorAll('.st-key-list *')].map(e =>
    e.shadowRoot?.querySelector('.errors_list .title')).find(Boolean)?.textContent"""
OPENED = "document.querySelector('[class*=st-key-words-map-opened]')"
POINTS = "[data-testid=stVegaLiteChart] .mark-symbol path"
FREE_POINT = """points => [...document.querySelectorAll(points)].findIndex(path => {
    const box = path.getBoundingClientRect();
    return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === path;
})"""
_OF_MAPS = (
    "Until points are drawn and the page is at rest. From scratch of 1,024 dimensions, as QuartzNet's embeddings are; "
    "of many videos a kept plane is drawn."
)
MAP_DRAWN = f"document.querySelector('{POINTS}')"


def tables(work: Path) -> list[Table]:
    """Both sizes of collection, and the map."""
    few, many = size(3_400, 300), size(100_000, 3_000)
    folders = {n: _collection(work, Large(n)) for n in (few, many)}
    with watching.chromium() as browser, served(BARE) as bare:
        whole = [row for n in (few, many) for row in _views(browser, bare, folders[n], n)]
        held = [_memory(browser, work, Large(n, dimension=d)) for n, d in ((few, 16), (many, 16), (many, 1024))]
        whole_size = _collection(work, Large(few, dimension=1024))
        maps = [*_map_from_scratch(browser, whole_size, few), *_map_of_many(browser, folders[many], many)]
    columns = ("videos", "what", "ms", "bare page, ms", "ratio", "wanted")
    note = (
        "Generated videos of 16 dimensions, two fragments each, eight categories, an evaluation of all; Chromium "
        f"without a graphics card, 1280 x 800. Medians of {_rounds()}, in turn with the first view of a bare Streamlit "
        "page of as many elements, which tells how fast the machine was then. A switch and a click are timed in the "
        "page, from the browser's event to the first frame that shows what is waited for; first views from outside, "
        f"in a new window. The first view of a server reads the collection as well.{_busy()}"
    )
    memory = (
        "Resident memory of a new server after every view was opened twice, with all that they keep, and the most that "
        "it held in between. QuartzNet's embeddings have 1,024 dimensions."
    )
    return [
        Table("What a person waits for", note, columns, whole),
        Table("The map", _OF_MAPS, ("videos", "what", "s", "wanted"), maps),
        Table("Memory of the server", memory, ("videos", "dimensions", "MB", "MB at most", "wanted"), held),
    ]


def _busy() -> str:
    """What is to be said where others had the machine's cores at the same time."""
    load, cores = os.getloadavg()[0], len(os.sched_getaffinity(0))
    return f" The machine was busy (load {load:.0f}), so times are too long." if load > 1.5 * cores else ""


def _collection(work: Path, large: Large) -> Path:
    """A generated collection, made once, with the indexes that an ingest leaves."""
    folder = work / f"dashboard-{large.videos}-{large.dimension}"
    if not (folder / "whole").is_file():
        make_large(folder, replace(large, channels=max(large.videos // 50, 24)))
        with open_collection(folder) as collection:
            keep_up(collection, large.fingerprint)
        (folder / "whole").touch()
    return folder


def _views(browser: Browser, bare: Served, folder: Path, n: int) -> list[tuple[str, ...]]:
    """First view, switches of views, clicks on cells."""
    lay_out(folder)
    with served(APP, ["-c", str(folder)]) as dashboard, window(browser) as page:
        cold = seconds_until(page, DRAWN, lambda: page.goto(dashboard.address))
        elements = int(page.evaluate(ELEMENTS))
        first = _beside_bare(browser, bare, elements, lambda: _first(browser, dashboard.address, DRAWN))
        for name in VIEWS:  # each is drawn once before it counts
            _switch(page, name)
        switches = [_row(n, f"switch to {name}", *_switches(browser, bare, page, name), "700 ms") for name in VIEWS]
        wanted = "400 ms" if n <= 3_400 else "1 s"
        clicks = _row(n, "a click on a cell to its videos listed", *_clicks(browser, bare, page, folder), wanted)
    begun = (f"{n:,}", "first view of all, the server just started", milliseconds(cold), "", "", "")
    wanted = "ratio 1.5" if n <= 3_400 else ""
    view = _row(n, f"first view, {elements} elements", *first, wanted, ratio=f"{median_ratio(*first):.2f}")
    return [view, begun, *switches, clicks]


def _memory(browser: Browser, work: Path, large: Large) -> tuple[str, ...]:
    """What a server holds of a collection after all views."""
    folder = _collection(work, large)
    lay_out(folder)
    with served(APP, ["-c", str(folder)]) as dashboard, window(browser) as page:
        seconds_until(page, DRAWN, lambda: page.goto(dashboard.address))
        for name in (*VIEWS, *VIEWS):
            _switch(page, name)
        held = [f"{dashboard.resident_bytes(line) / 1e6:,.0f}" for line in ("VmRSS", "VmHWM")]
    return (f"{large.videos:,}", f"{large.dimension:,}", *held, "1,500 MB" if large.videos > 3_400 else "")


def _row(n: int, what: str, own: list[float], bare: list[float], wanted: str, *, ratio: str = "") -> tuple[str, ...]:
    """Medians of both; a ``ratio`` where both were timed in the same way."""
    taken = (milliseconds(statistics.median(times)) for times in (own, bare))
    return (f"{n:,}", what, *taken, ratio, wanted)


def _beside_bare(
    browser: Browser, bare: Served, elements: int, measure: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """Seconds of a measure and of a bare page with as many elements, in turn."""
    there = f"{SETTLED} && {ELEMENTS} >= {elements}"
    plain = partial(_first, browser, f"{bare.address}/?n={elements}", there)
    taken = in_turn({"own": measure, "bare": plain}, _rounds())
    return taken["own"], taken["bare"]


def _rounds() -> int:
    return size(PAIRS, 2)


def _first(browser: Browser, address: str, shown: str) -> float:
    """Seconds of an address in a new window."""
    with window(browser) as page:
        return seconds_until(page, shown, lambda: page.goto(address))


def _switch(page: Page, name: str) -> float:
    """Seconds from a click on a view's link to when that view is at rest."""
    link = page.locator('[data-testid="stSidebar"] [data-testid="stPageLink"] a', has_text=name).first
    shown = f"document.querySelector('h1')?.innerText === {json.dumps(name)} && {SETTLED}"
    if name == "Map":
        shown += f" && {MAP_DRAWN}"
    return seconds_after_click(link, shown)


def _switches(browser: Browser, bare: Served, page: Page, name: str) -> tuple[list[float], list[float]]:
    """Seconds of switches to a view, each from another one."""
    other = "Classifier" if name != "Classifier" else "Similar"
    _switch(page, name)
    elements = int(page.evaluate(ELEMENTS))

    def there() -> float:
        """From another view."""
        _switch(page, other)
        return _switch(page, name)

    return _beside_bare(browser, bare, elements, there)


def _clicks(browser: Browser, bare: Served, page: Page, folder: Path) -> tuple[list[float], list[float]]:
    """Seconds of clicks on cells, each until the videos of its list are those behind it."""
    _switch(page, "Errors")
    elements, first = int(page.evaluate(ELEMENTS)), _first_of(folder)
    names = list(page.locator(".errors_matrix thead .name").all_inner_texts())
    turn = cycle([*first][1:] + [*first][:1])  # the fullest is open already

    def click() -> float:
        """On the next cell."""
        label, predicted = next(turn)
        row = page.locator(".errors_matrix tbody tr").nth(names.index(label))
        title = json.dumps(first[label, predicted])
        listed = f"{FIRST_LISTED} === {title}"
        return seconds_after_click(row.locator("td .cell").nth(names.index(predicted)), listed)

    return _beside_bare(browser, bare, elements, click)


def _first_of(folder: Path) -> dict[tuple[str, str], str]:
    """Title of the first video behind each of the cells that are clicked: the fullest, wrong and right in turn."""
    with open_collection(folder) as collection:
        found = latest_evaluation(collection.store)
        titles = {video.id: video.title for video in collection.store.videos()}
    if found is None:
        raise SystemExit(f"{folder} has no evaluation: delete it, and it is made again.")
    cells = confusion_cells(found[1].confusion, categories_of(found[1])).sort_values("n", ascending=False)
    right = cells["category"] == cells["predicted"]
    fullest = [part[["category", "predicted"]].head(3).values.tolist() for part in (cells[~right], cells[right])]
    asked = [(str(label), str(predicted)) for pair in zip(*fullest, strict=True) for label, predicted in pair]
    known = {cell: ranked(found[1], behind(found[1].predictions, *cell), Rank.CONFIDENCE) for cell in asked}
    return {cell: titles[str(table["id"].iloc[0])] for cell, table in known.items()}


def _map_from_scratch(browser: Browser, folder: Path, n: int) -> list[tuple[str, ...]]:
    """UMAP's first run in a server, on a machine where it is new, and where it has run; then the map that is kept."""
    with TemporaryDirectory() as nothing_compiled:
        new, compiled = (_laid_out(browser, folder, nothing_compiled) for _ in range(2))
    with served(APP, ["-c", str(folder)]) as dashboard:
        _first(browser, dashboard.address, DRAWN)
        kept = _first(browser, f"{dashboard.address}/map", f"{MAP_DRAWN} && {SETTLED}")
    return [
        (f"{n:,}", "UMAP for the first time on a machine, which compiles it: progress is seen", f"{new[0]:.1f}", ""),
        (f"{n:,}", "the same: the map is drawn", f"{new[1]:.1f}", ""),
        (f"{n:,}", "UMAP from scratch, in a new server: progress is seen", f"{compiled[0]:.1f}", ""),
        (f"{n:,}", "the same: the map is drawn", f"{compiled[1]:.1f}", "10 s"),
        (f"{n:,}", "the map that is kept, in a new server", f"{kept:.1f}", "at once"),
    ]


def _laid_out(browser: Browser, folder: Path, compiled: str) -> tuple[float, float]:
    """Seconds until a new server shows progress of a map, and the map."""
    for kept in folder.glob("index/projection*"):
        kept.unlink()
    with served(APP, ["-c", str(folder)], NUMBA_CACHE_DIR=compiled) as dashboard:
        _first(browser, dashboard.address, DRAWN)
        with window(browser) as page:
            bar = "document.querySelector('[data-testid=stProgress]')"
            progress = seconds_until(page, bar, lambda: page.goto(f"{dashboard.address}/map"))
            return progress, progress + seconds_until(page, f"{MAP_DRAWN} && {SETTLED}")


def _map_of_many(browser: Browser, folder: Path, n: int) -> list[tuple[str, ...]]:
    """The kept map of many points, and a click on one of them that opens it."""
    with served(APP, ["-c", str(folder)]) as dashboard:
        _first(browser, dashboard.address, DRAWN)
        with window(browser) as page:
            drawn = seconds_until(page, f"{MAP_DRAWN} && {SETTLED}", lambda: page.goto(f"{dashboard.address}/map"))
            free = page.locator(POINTS).nth(page.evaluate(FREE_POINT, POINTS))
            clicked = seconds_after_click(free, OPENED)
        again = _first(browser, f"{dashboard.address}/map", f"{MAP_DRAWN} && {SETTLED}")
    return [
        (f"{n:,}", "a kept map, its first window", f"{drawn:.1f}", ""),
        (f"{n:,}", "the same, and a click on a point shows its video", f"{drawn + clicked:.1f}", "5 s"),
        (f"{n:,}", "the same in another window", f"{again:.1f}", "5 s"),
    ]

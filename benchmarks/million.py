"""A million videos: searches, filters, memory, the time to make the index; and what ten millions would take.

Takes about half an hour and 10 GB of disk, once; ten millions are extrapolated from smaller sizes, see docs/scale.md.
"""

from pathlib import Path
from typing import Any

from benchmarks import searching
from benchmarks.generated import collection
from benchmarks.report import Table
from benchmarks.search import filter_table
from benchmarks.sizes import size

_COLUMNS = ("videos", "index", "made in, s", "peak while made, MB", "index, MB", "catalog, MB", "p50 / p95, ms")
_MORE = ("recall@10", "opening to first answer, s", "peak while searching, MB")


def tables(work: Path) -> list[Table]:
    """The same at growing sizes, one to extrapolate from, and filters at the largest."""
    counts = [size(full, quick) for full, quick in ((250_000, 500), (1_000_000, 2_000))]
    facts = {count: {"made": searching.measured("made", work, count)} for count in counts}
    for count in counts:
        facts[count]["opened"] = searching.measured("opened", work, count)
    rows = [_row(work, count, facts[count]) for count in counts]
    note = (
        "Collections of generated embeddings without fragments, 1,024 dimensions; the index that quartzlens chooses "
        "for so many, made by all cores and searched by one thread in processes of their own; queries held out, one at "
        "a time. Memory is all that was resident at most, Python and libraries with it. At most 1,500 MB, and recall "
        "of 0.95, is wanted."
    )
    return [Table("A million videos", note, (*_COLUMNS, *_MORE), rows), filter_table(work, counts[-1])]


def _row(work: Path, count: int, facts: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    made, opened = facts["made"], facts["opened"]
    catalog = (collection(work, count) / "catalog.sqlite").stat().st_size
    megabytes = [f"{number / 2**20:,.0f}" for number in (made["peak"], made["bytes"], catalog)]
    times = f"{1000 * opened['p50']:.2f} / {1000 * opened['p95']:.2f}"
    more = (f"{opened['recall']:.4f}", f"{opened['first']:.2f}", f"{opened['peak'] / 2**20:,.0f}")
    return f"{count:,}", made["kind"], f"{made['seconds']:.0f}", *megabytes, times, *more

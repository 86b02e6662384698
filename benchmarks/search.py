"""How fast and how well nearest videos are found, beside exact scans and beside other engines."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import searching, vectors
from benchmarks.engine_child import EngineChild
from benchmarks.engines import RIVALS
from benchmarks.report import Table
from benchmarks.search_steps import WHOLE
from benchmarks.sizes import size
from benchmarks.timing import in_turn

_COLUMNS = ("search", "p50, ms", "p95, ms", "ratio", "recall@10")
_RIVAL_COLUMNS = ("engine", "knob", "recall@10", "p50, ms", "p95, ms", "times the best p50", "build, s", "MB on disk")
_ROUNDS = 3


def tables(work: Path) -> list[Table]:
    """100,000 videos, exactly and with other engines."""
    count = size(100_000, 2_000)
    exactly = [exact_table(work, count), filter_table(work, count)]
    return [vectors.table(work), *exactly, *rival_tables(work, count), steps_table(work, count)]


def steps_table(work: Path, count: int) -> Table:
    """What each step of a search takes."""
    found = searching.measured("steps", work, count)
    note = (
        f"{count:,} videos, kind hnsw, one thread, ten nearest: medians over the queries, each step timed while the "
        "store answers. An engine without catalog does the walk alone."
    )
    rows = [(what, f"{1e6 * seconds:.0f}", f"{seconds / found[WHOLE]:.0%}") for what, seconds in found.items()]
    return Table("Where the time of a search goes", note, ("step", "µs", "share"), rows)


def exact_table(work: Path, count: int) -> Table:
    """Both exact kinds beside NumPy."""
    found = searching.measured("exact", work, count)
    note = (
        f"{count:,} generated vectors of 1,024 dimensions, one thread, ten nearest, queries held out; each query "
        "asked of all in turn, ratios to NumPy's matrix-vector product alone. At most 1.25 for f32 and 0.7 for f16 is "
        "wanted, at recall 1."
    )
    return Table("Exact search", note, _COLUMNS, [_row(label, one) for label, one in found.items()])


def filter_table(work: Path, count: int) -> Table:
    """Searches among some, beside a scan of all."""
    searching.measured("made", work, count)
    found = searching.measured("large", work, count)
    note = (
        f"{count:,} videos, the index that quartzlens chooses for so many, one thread; among those that a filter "
        "leaves (given as ids), beside FAISS' exact scan of all in float16, to which the ratios are. With a filter "
        "recall must be 1 and the ratio at most 1."
    )
    return Table(f"Filters, {count:,} videos", note, _COLUMNS, [_row(label, one) for label, one in found.items()])


def _row(label: str, one: dict[str, float]) -> tuple[str, ...]:
    recall = "" if label == "NumPy, X @ q alone" else f"{one['recall']:.4f}"
    return label, *_milliseconds(one), f"{one['ratio']:.2f}", recall


def _milliseconds(one: dict[str, float]) -> tuple[str, str]:
    return f"{1000 * one['p50']:.2f}", f"{1000 * one['p95']:.2f}"


def rival_tables(work: Path, count: int) -> list[Table]:
    """All engines at the recall of quartzlens' own approximate index, and at that of an exact search."""
    labels = ("quartzlens hnsw", "quartzlens auto", *RIVALS)
    with ExitStack() as stack:
        children = {label: stack.enter_context(EngineChild(work, label, count, size(300, 30))) for label in labels}
        failed = [(label, child.said["failed"]) for label, child in children.items() if "failed" in child.said]
        children = {label: child for label, child in children.items() if "failed" not in child.said}
        own = children["quartzlens hnsw"].measured(0)["recall"] if "quartzlens hnsw" in children else 0.95
        return [_at(recall, count, children, failed) for recall in (own, 0.999)]


def _at(wanted: float, count: int, children: dict[str, EngineChild], failed: list[tuple[str, str]]) -> Table:
    knobs = {label: knob for label, child in children.items() if (knob := child.knob_for(wanted)) is not None}
    taken: dict[str, list[Any]] = in_turn(
        {label: lambda label=label: children[label].measured(knobs[label]) for label in knobs},  # type: ignore[misc]
        _ROUNDS,
    )
    middle = {label: sorted(rounds, key=lambda one: float(one["p50"]))[_ROUNDS // 2] for label, rounds in taken.items()}
    best = min((one["p50"] for one in middle.values()), default=1.0)
    rows = [_rival(children[label].said, knobs[label], one, best) for label, one in middle.items()]
    less = [children[label].said["how"] for label in children if label not in knobs]
    missing = [f"{name} less whatever its knob" for name in less] + [f"{label}: {why}" for label, why in failed]
    note = (
        f"{count:,} vectors, one query at a time, each engine in a process of its own through its Python interface, "
        f"rounds over all queries in turn. The least knob with a recall of at least {wanted:.4f} is shown. Building is "
        "from vectors in memory, of quartzlens the index from its catalog, which its bytes have as well."
        + (f" Not in the table: {'; '.join(missing)}." if missing else "")
    )
    return Table(f"Beside other engines, recall@10 of {wanted:.4f} or more", note, _RIVAL_COLUMNS, rows)


def _rival(said: dict[str, Any], knob: int, one: dict[str, float], best: float) -> tuple[str, ...]:
    shown = (f"{one['recall']:.4f}", *_milliseconds(one), f"{one['p50'] / best:.2f}")
    return said["how"], str(knob) if knob else "", *shown, f"{said['build']:.0f}", f"{said['bytes'] / 2**20:.0f}"

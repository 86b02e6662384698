"""``make bench``, ``python -m benchmarks [PART ...]``: measure, print, and write docs/benchmarks.md.

Parts: start, clip, speed, quality, duplicates, depths, flow, overhead, memory, store, search, evidence,
evaluation, dashboard, million, ten_million; without one, all of them. What each measured is kept in build/bench, so
that a part can be measured anew by itself.
"""

import argparse
import importlib
from pathlib import Path

from benchmarks import report, sizes
from benchmarks.models import use_cache

PARTS = (
    "start",
    "clip",
    "speed",
    "quality",
    "duplicates",
    "depths",
    "flow",
    "overhead",
    "memory",
    "store",
    "search",
    "evidence",
    "evaluation",
    "dashboard",
    "million",
    "ten_million",
)
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Measure the parts that are asked for, one after the other, and write the page after each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "bench", help="folder for models and figures")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "benchmarks.md", help="what is written")
    parser.add_argument("--quick", action="store_true", help="try a part at a small size: nothing is kept or written")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    work = given.work.resolve()
    if given.quick:
        sizes.make_quick()
        work /= "quick"
    work.mkdir(parents=True, exist_ok=True)
    use_cache(work)
    for part in [one for one in PARTS if not given.parts or one in given.parts]:
        print(f"measuring: {part}", flush=True)
        tables = importlib.import_module(f"benchmarks.{part}").tables(work)
        if not given.quick:
            report.keep(work, part, tables)
            report.write(work, PARTS, given.page)
        for table in tables:
            print("\n".join(table.lines()), flush=True)


if __name__ == "__main__":
    main()

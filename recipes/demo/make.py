"""The command that makes the demo collection: `python -m recipes.demo.make OUT_DIR`."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from recipes.demo.encode import write_video
from recipes.demo.plan import VideoPlan, make_plan
from recipes.demo.render import render
from recipes.demo.report import write_report

VIDEO_COLUMNS = ("path", "title", "description", "category", "channel", "generated", "mixed")
SEGMENT_COLUMNS = ("path", "start_s", "end_s", "category")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the videos and their two tables in a folder, then measure them and write the report."""
    parser = argparse.ArgumentParser(prog="python -m recipes.demo.make", description=__doc__)
    parser.add_argument("out_dir", type=Path, help="where videos/, videos.csv and segments.csv are written")
    parser.add_argument("--only", type=int, metavar="N", help="make just the first N videos (a quick test, no report)")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another collection (default 0)")
    options = parser.parse_args(arguments)
    plans = make_plan(options.seed)[: options.only]
    (options.out_dir / "videos").mkdir(parents=True, exist_ok=True)
    for number, plan in enumerate(plans, start=1):
        _make_one(options.out_dir, plan)
        print(f"[{number}/{len(plans)}] {plan.path} {plan.seconds:5.1f} s {plan.category:9} {plan.title}", flush=True)
    write_tables(options.out_dir, plans)
    if options.only is None:
        _remove_left_over(options.out_dir, plans)
        write_report(options.out_dir, Path(__file__).with_name("report.json"))
    return 0


def _make_one(out_dir: Path, plan: VideoPlan) -> None:
    write_video(out_dir / plan.path, plan, render(plan))


def _remove_left_over(out_dir: Path, plans: Sequence[VideoPlan]) -> None:
    """Remove videos of an earlier plan, which may have borne the same number with another suffix."""
    planned = {out_dir / plan.path for plan in plans}
    for path in (out_dir / "videos").glob("demo_[0-9][0-9][0-9].*"):
        if path not in planned:
            path.unlink()


def write_tables(out_dir: Path, plans: Sequence[VideoPlan]) -> None:
    """Write `videos.csv` (one row a video) and `segments.csv` (one row for each stretch of the mixed videos)."""
    _write_csv(
        out_dir / "videos.csv",
        VIDEO_COLUMNS,
        [
            (plan.path, plan.title, plan.description, plan.category, plan.channel.name, "yes", _yes_no(plan.mixed))
            for plan in plans
        ],
    )
    _write_csv(out_dir / "segments.csv", SEGMENT_COLUMNS, [row for plan in plans if plan.mixed for row in _rows(plan)])


def _rows(plan: VideoPlan) -> list[tuple[str, str, str, str]]:
    rows, start = [], 0.0
    for part in plan.parts:
        rows.append((plan.path, f"{start:.2f}", f"{start + part.seconds:.2f}", part.category))
        start += part.seconds
    return rows


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(main())

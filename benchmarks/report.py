"""Tables of measurements: kept as JSON part by part, and written to docs/benchmarks.md from all that there are."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.engine import cores

_INTRODUCTION = """\
# Benchmarks

`make bench` measures and writes this page; `python -m benchmarks PART ...` measures some parts anew. Every table was
taken in one run on the machine and the day named above it, unless its note says otherwise: compare within a table,
never across. `$DATA` is a folder of real recordings that is not part of the repository (`QUARTZLENS_TEST_DATA`)."""


@dataclass(frozen=True, slots=True)
class Table:
    """A title, what must be known to read the table, and its cells as they are shown."""

    title: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def lines(self) -> list[str]:
        """Its Markdown."""
        head = [f"| {' | '.join(self.columns)} |", "|---" * len(self.columns) + "|"]
        rows = [f"| {' | '.join(row)} |" for row in self.rows]
        return [f"### {self.title}", "", *([self.note, ""] if self.note else []), *head, *rows, ""]


def machine() -> str:
    """Processor and versions, in words that tell no machine's name or paths."""
    from importlib.metadata import version

    libraries = ", ".join(
        f"{name} {version(name).split('-')[0]}" for name in ("openvino", "torch", "onnxruntime", "nemo_toolkit")
    )
    return f"{_processor()}, {cores()} cores, Python {platform.python_version()}, {libraries}"


def _processor() -> str:
    """The processor's name, and what it has for small numbers, which its name often hides."""
    facts = {"model name": "", "flags": ""}
    information = Path("/proc/cpuinfo")
    for line in information.read_text(encoding="utf-8").splitlines() if information.is_file() else ():
        name, _, value = line.partition(":")
        if name.strip() in facts and not facts[name.strip()]:
            facts[name.strip()] = value.strip()
    known = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
    flags = [flag for flag in known if flag in facts["flags"].split()]
    return f"{facts['model name'] or platform.machine()} ({', '.join(flags) or 'no AVX2'})"


def keep(folder: Path, part: str, tables: Sequence[Table]) -> None:
    """Keep a part's tables with the machine and the day."""
    busy = os.getloadavg()[0]
    facts = {"machine": machine(), "day": f"{datetime.now(UTC):%Y-%m-%d}", "load": round(busy, 1)}
    content = {**facts, "tables": [asdict(table) for table in tables]}
    path = folder / f"{part}.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=1), encoding="utf-8")
    partial.replace(path)


def write(folder: Path, parts: Sequence[str], page: Path) -> None:
    """Write the page from the parts that were measured, in their order; the others' sections stay as they are."""
    before = _sections(page)
    lines = [*_INTRODUCTION.splitlines(), ""]
    for part in parts:
        path = folder / f"{part}.json"
        if not path.is_file():
            lines += before.get(part, [])
        else:
            content = json.loads(path.read_text(encoding="utf-8"))
            lines += [f"## {part}", "", f"{content['day']}: {content['machine']}.", ""]
            for table in content["tables"]:
                lines += Table(**table).lines()
    page.write_text("\n".join(lines), encoding="utf-8")


def _sections(page: Path) -> dict[str, list[str]]:
    """The lines of a page's sections by the part that each is of."""
    sections: dict[str, list[str]] = {}
    part = ""
    for line in page.read_text(encoding="utf-8").split("\n") if page.is_file() else ():
        part = line.removeprefix("## ") if line.startswith("## ") else part
        sections.setdefault(part, []).append(line)
    return sections


def milliseconds(seconds: float) -> str:
    """A cell."""
    return f"{1000 * seconds:.1f}"

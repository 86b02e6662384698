"""An old list ingested twice from a site that stands for YouTube: ``python -m tests.pipeline.whole_run LIST FOLDER``.

Writes what each ingest came to, and what it asked for, to FOLDER/whole_run.json.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipeline.sources import read_source
from tests.pipeline import fates
from tests.pipeline.tube import Tube, environment, tube


def main(list_path: str, folder: Path) -> None:
    """Ingest the list, then once more."""
    files = fates.write_files(folder / "media")
    known = fates.fates_of({row.video_id for row in read_source(list_path).rows}, files)
    with tube(known, folder / "media") as site:
        runs = [_ingested(site, list_path, folder) for _ in range(2)]
    (folder / "whole_run.json").write_text(json.dumps(runs))


def _ingested(site: Tube, list_path: str, folder: Path) -> dict[str, Any]:
    """One ingest by the command line: exit code, words, requests by id, peak resident bytes of its main process."""
    site.asked.clear()
    command = [sys.executable, "-m", "tests.pipeline.hurried", "ingest", list_path, "-c", str(folder / "collection")]
    process = subprocess.Popen(
        [*command, "--json"], env=environment(folder / "plugins", site.address),
        stdout=subprocess.PIPE, stderr=(folder / "stderr.txt").open("w"),
    )  # fmt: skip
    assert process.stdout
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "summary": json.loads(said or "{}"),
        "said": (folder / "stderr.txt").read_text(),
        "asked": dict(site.asked),
        "peak_bytes": usage.ru_maxrss * 1024,
    }


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

"""The figures of docs/results.md: ``python -m benchmarks.results DATA UNTRAINED.nemo WORK``.

Each figure comes from the two commands beside it, run as a user runs them; nothing is computed here.
"""

import json
import subprocess
import sys
from pathlib import Path

CLASSIFIERS = ("original", "logistic")
PUBLISHED = ("--fold-column", "fold")


def run(*arguments: str | Path) -> str:
    """Output of a quartzlens command; its progress stays visible."""
    command = [sys.executable, "-m", "quartzlens", *map(str, arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def measured(source: Path, shown: str, folder: Path, checkpoint: str, more: tuple[str, ...]) -> list[str]:
    """Table rows of one list with one checkpoint: every classifier."""
    run("ingest", source, "-c", folder, "--checkpoint", checkpoint)
    rows = []
    for classifier in CLASSIFIERS:
        answer = json.loads(run("evaluate", "-c", folder, "--classifier", classifier, *more, "--json"))
        figures = " | ".join(f"{answer[key]['value']:.3f}" for key in ("accuracy", "precision_macro", "recall_macro"))
        name = "demo" if checkpoint == "demo" else "untrained"
        rows.append(f"| {shown} | {name} | {classifier} | {answer['n']} | {figures} |")
    return rows


def main(data: Path, untrained: str, work: Path) -> None:
    """Print the table."""
    from pipeline.checkpoint import demo_path

    lists = (
        (demo_path().parent / "videos.csv", "demo collection", ()),
        (data / "videos" / "videos.csv", "$DATA/videos/videos.csv", ()),
        (data / "esc10" / "esc10.csv", "$DATA/esc10/esc10.csv", PUBLISHED),
    )
    print("| list | checkpoint | classifier | n | accuracy | precision (macro) | recall (macro) |")
    print("|---|---|---|---|---|---|---|")
    for number, (source, shown, more) in enumerate(lists):
        for checkpoint in ("demo", untrained):
            folder = work / f"{number}-{Path(checkpoint).stem}"
            print("\n".join(measured(source, shown, folder, checkpoint, more)), flush=True)


main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))

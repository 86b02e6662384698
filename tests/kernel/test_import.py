"""How a checkout is found by Python."""

import subprocess
import sys
from pathlib import Path


def test_a_folder_of_its_name_does_not_hide_it(tmp_path: Path) -> None:
    """A notebook often lies beside the checkout, whose folder is named as the package is."""
    (tmp_path / "quartzlens").mkdir()
    command = [sys.executable, "-c", "import quartzlens; print(quartzlens.open.__name__)"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout == "open\n"

"""Run a command on a disk of its own that is too small, then once more with room.

``python -m tests.pipeline.small_disk FOLDER BYTES COMMAND ...`` puts a small file system at FOLDER, runs the command,
makes the file system large, and runs it again; then tells, as JSON, both exit codes and what was said. Linux only;
needs user namespaces, else it ends with UNABLE.
"""

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

UNABLE = 77
LARGE = 2_000_000_000
_NEW_USER, _NEW_MOUNTS = 0x10000000, 0x00020000
_REMOUNT = 32


class Disk:
    """A file system in memory of so many bytes at ``folder``, which this process and its children see alone."""

    def __init__(self, folder: Path, size: int) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        user, group = os.getuid(), os.getgid()
        self._check(self._libc.unshare(_NEW_USER | _NEW_MOUNTS))
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
        self._folder = folder
        self.resize(size, 0)

    def resize(self, size: int, flags: int = _REMOUNT) -> None:
        """Make it so large."""
        data = f"size={size}".encode()
        self._check(self._libc.mount(b"tmpfs", os.fsencode(self._folder), b"tmpfs", flags, data))

    def _check(self, result: int) -> None:
        if result:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def main(folder: Path, size: int, command: list[str]) -> int:
    """Run the command on the small disk, then on a large one."""
    try:
        disk = Disk(folder, size)
    except OSError as error:
        print(f"no disk of its own can be made here: {error}", file=sys.stderr)
        return UNABLE
    told = [_run(command)]
    disk.resize(LARGE)
    told.append(_run(command))
    print(json.dumps(told))
    return 0


def _run(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return {"code": done.returncode, "out": done.stdout, "said": done.stderr}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))

"""The two programs that yt-dlp uses, both from PyPI packages: nothing has to be installed by hand."""

import shutil
import sys
from pathlib import Path


def deno_path() -> str | None:
    """Path of deno (package ``deno`` puts it beside Python), which yt-dlp runs YouTube's scripts with.

    None where it is missing.
    """
    beside = Path(sys.executable).parent / "deno"
    return str(beside) if beside.exists() else shutil.which("deno")


def ffmpeg_path() -> str:
    """Path of the ffmpeg that the package ``imageio-ffmpeg`` carries."""
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())

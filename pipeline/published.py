"""Which checkpoints there are, where their makers publish them, and where they are kept here."""

import os
from dataclasses import dataclass
from importlib import resources
from math import prod
from pathlib import Path

from platformdirs import user_cache_path

from quartzlens.errors import CheckpointError

DEMO = "demo"
_NGC = "https://api.ngc.nvidia.com/v2/models/nvidia"
_CATALOG = "https://catalog.ngc.nvidia.com/orgs/nvidia"
_LANGUAGES = ("en", "ca", "de", "es", "fr", "it", "pl", "ru", "zh")


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint that its maker publishes.

    Attributes
    ----------
    name, page
        Its name here, and the page with its licence.
    file
        Name of the file, here and inside of the zip form.
    address, zip_address
        Where the file itself and a zip archive with it are; None where that form is not published.
    language
        Language that its decoder writes, by its two letters.
    """

    name: str
    page: str
    file: str
    address: str | None
    zip_address: str | None
    language: str

    @property
    def path(self) -> Path:
        """Where it is kept once it is here."""
        return cache_folder() / self.file


def published() -> tuple[Published, ...]:
    """NVIDIA's QuartzNet 15x5 checkpoints (addresses: NVIDIA NGC catalogue): nine languages, and two English ones."""
    languages = [_nemo(f"stt_{code}_quartznet15x5", f"{_NGC}/nemo", code) for code in _LANGUAGES]
    base = _version("QuartzNet15x5Base-En", f"{_NGC}/nemospeechmodels/versions/1.0.0a5", "models/nemospeechmodels")
    examples = Published(
        name="nvidia_quartznet_210504",
        page=f"{_CATALOG}/models/quartznet_pyt_ckpt_amp",
        file="nvidia_quartznet_210504.pt",
        address=None,
        zip_address=f"{_NGC}/quartznet_pyt_ckpt_amp/versions/21.03.0/zip",
        language="en",
    )
    return (*languages, base, examples)


def _nemo(name: str, models: str, language: str) -> Published:
    return _version(name, f"{models}/{name}/versions/1.0.0rc1", f"teams/nemo/models/{name}", language)


def _version(name: str, version: str, page: str, language: str = "en") -> Published:
    file = f"{name}.nemo"
    return Published(name, f"{_CATALOG}/{page}", file, f"{version}/files/{file}", f"{version}/zip", language)


def weights_bytes() -> int:
    """Size of the weights of QuartzNet 15x5 with 28 labels in float32: about the size of its file."""
    from pipeline.layout import read_layout
    from pipeline.names import quartznet15x5

    config = quartznet15x5()
    encoder = read_layout(config["encoder"])
    n_labels = len(config["decoder"]["vocabulary"]) + 1
    return 4 * (sum(map(prod, encoder.shapes().values())) + n_labels * (encoder.blocks[-1].channels + 1))


def cache_folder() -> Path:
    """Folder in the user's cache where downloaded checkpoints are kept (``QUARTZLENS_CACHE`` overrides it)."""
    return Path(os.environ.get("QUARTZLENS_CACHE") or user_cache_path("quartzlens")) / "checkpoints"


def demo_path() -> Path:
    """The demo checkpoint that the package carries (trained by recipes/checkpoint on generated speech)."""
    return Path(str(resources.files("quartzlens"))) / "demo" / "quartznet_demo.nemo"


def sum_path(path: Path) -> Path:
    """File beside a downloaded checkpoint with its sha256 as it was on arrival."""
    return path.with_suffix(".sha256")


def recorded_sum(path: Path) -> str | None:
    """Sha256 that was recorded when a checkpoint was downloaded; None for a file that was not."""
    if path.parent != cache_folder() or not sum_path(path).is_file():
        return None
    return sum_path(path).read_text(encoding="ascii", errors="replace").strip()


def locate(name: str) -> Path:
    """Path of a checkpoint given by name (``demo``, a published one that is here) or by path.

    Raises
    ------
    CheckpointError
        Neither a file nor a known name, or a published one that has not been downloaded; the message says how to.
    """
    if name == DEMO:
        return demo_path()
    if _is_file(name):
        return Path(name).resolve()
    known = {one.name: one for one in published()}
    if name in known:
        if known[name].path.is_file():
            return known[name].path
        raise CheckpointError(f"{name} is not here yet: run `quartzlens checkpoint get {name}`.")
    raise CheckpointError(f"{name!r} is neither a file nor a known checkpoint; see `quartzlens checkpoint list`.")


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # a name that no file can have: too long, for instance
        return False

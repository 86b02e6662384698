"""A picture of each view in both themes: none is blank, broken or wider than its window; people look at the rest.

``QUARTZLENS_PICTURES`` names a folder that they are put into.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.dashboard.test_journeys import opened, settled
from tests.dashboard.test_themes import PAPERS, THEMES, comes_to_nothing
from tests.dashboard.test_views import VIEWS

Serve = Callable[[Path], str]
SIZE = {"width": 1280, "height": 800}
LEAST_DRAWN = 0.03
"""Share of a picture that is anything but its most frequent colour: an empty view with its frame alone has less."""
CHARTS = ("overview", "map")
_FRAMES = """() => document.fonts.ready.then(() => new Promise(done => requestAnimationFrame(
    () => requestAnimationFrame(done))))"""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where pictures are put."""
    folder = Path(os.environ.get("QUARTZLENS_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def drawn_share(path: Path) -> tuple[float, str]:
    """Share of the points that have another than the most frequent colour, and that colour as #rrggbb."""
    with Image.open(path) as picture:
        points = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(np.int64) @ (65536, 256, 1)
    colours, counts = np.unique(points, return_counts=True)
    return 1.0 - counts.max() / len(points), f"#{colours[counts.argmax()]:06x}"


def luminance(colour: str) -> float:
    """How light #rrggbb is, 0..1."""
    return sum(bytes.fromhex(colour[1:])) / (3 * 255)


@pytest.mark.browser
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", VIEWS)
def test_a_picture_of_every_view(
    page: Page, serve: Serve, made_collection: Path, pictures: Path, name: str, theme: str
) -> None:
    """Each view in each theme is drawn on the ground of that theme, whole, without an error and within its window."""
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.set_viewport_size(SIZE)  # type: ignore[arg-type]
    opened(page, f"{serve(made_collection)}/{'' if name == 'overview' else name}")
    if name in CHARTS:
        expect(page.locator('[data-testid="stVegaLiteChart"] svg').first).to_be_visible()
    settled(page)
    page.evaluate(_FRAMES)
    for wrong in ("stException", "stAlert"):
        expect(page.get_by_test_id(wrong)).to_have_count(0)
    main = page.locator('[data-testid="stMain"]')
    comes_to_nothing(page, lambda: main.evaluate("e => e.scrollWidth - e.clientWidth > 1"))
    path = pictures / f"{name}-{theme}.png"
    page.screenshot(path=path)
    share, ground = drawn_share(path)
    assert share > LEAST_DRAWN
    assert abs(luminance(ground) - luminance(PAPERS[theme])) < 0.1

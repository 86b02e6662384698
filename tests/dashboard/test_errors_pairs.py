"""The fragments of a video and its neighbours that match best, played one after the other."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from analysis.evidence import evidence
from store.collection import open_collection
from tests.dashboard.made_up import FINGERPRINT
from tests.dashboard.test_journeys import loads, opened
from tests.dashboard.test_timeline import SOUND, errors_of, judged

Serve = Callable[[Path], str]
PLAYED = """() => { window.played = [];
    const note = (event) => { const at = event.target;
        const whose = at.closest('.st-key-evidence-sound') ? 'own' : 'other';
        window.played.push([event.type, whose, at.currentTime]); };
    for (const name of ['play', 'pause']) document.addEventListener(name, note, true);
    for (const audio of document.querySelectorAll('audio')) audio.muted = true; }"""


@pytest.mark.browser
def test_a_pair_plays_one_after_the_other(page: Page, serve: Serve, made_collection: Path) -> None:
    """A click plays the video's seconds of the pair to their end, then those of the neighbour, and then nothing."""
    with open_collection(made_collection) as collection:
        found = evidence(judged(made_collection), "v000", collection.store, FINGERPRINT).pairs.iloc[0]
    opened(page, errors_of(made_collection, serve(made_collection), "v000"))
    loads(page.locator(SOUND))
    page.evaluate(PLAYED)
    page.locator(".pairs .pair").first.click()
    page.wait_for_function("() => window.played.filter(([type]) => type === 'pause').length === 2")
    played = page.evaluate("window.played")
    assert [(kind, whose) for kind, whose, _ in played] == [
        ("play", "own"),
        ("pause", "own"),
        ("play", "other"),
        ("pause", "other"),
    ]
    ends = found[["start_seconds", "end_seconds", "other_start_seconds", "other_end_seconds"]].tolist()
    assert [second for _, _, second in played] == pytest.approx(ends, abs=0.6)
    expect(page.locator(".pairs .now")).to_have_count(0)


@pytest.mark.browser
def test_pairs_tell_times_neighbour_and_how_usual_it_is(page: Page, serve: Serve, made_collection: Path) -> None:
    """Each pair names its seconds in both videos, whose they are, and than how many pairs it is nearer."""
    with open_collection(made_collection) as collection:
        found = evidence(judged(made_collection), "v000", collection.store, FINGERPRINT).pairs.head(3)
        titles = {video.id: video.title for video in collection.store.videos()}
    opened(page, errors_of(made_collection, serve(made_collection), "v000"))
    expect(page.locator(".pairs .pair")).to_have_count(len(found))
    for number, row in enumerate(found.to_dict("records")):
        shown = page.locator(".pairs .pair").nth(number)
        expect(shown).to_contain_text(f"0:{int(row['start_seconds']):02d} here")
        expect(shown).to_contain_text(f"0:{int(row['other_start_seconds']):02d}")
        expect(shown.locator(".title")).to_have_text(titles[row["id"]])
        expect(shown.locator(".near")).to_contain_text("of pairs")

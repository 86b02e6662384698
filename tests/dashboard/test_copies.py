"""What the dashboard shows of videos with the same sound."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analysis import copies_kept
from analysis.copies_kept import kept_copies
from analysis.evaluation import latest_evaluation
from dashboard.copies import MOST_GROUPS
from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import Embedded, Result
from store.collection import open_collection
from tests.dashboard.conftest import View, evaluated
from tests.dashboard.made_up import FINGERPRINT, HOSTILE, Wanted, make_collection
from tests.dashboard.test_filters import button
from tests.dashboard.test_views import drawn, texts

WHEN = "2026-01-01T00:00:00+00:00"


def copied(folder: Path, pairs: dict[str, str]) -> Path:
    """Give each video of ``pairs`` the sound of the other."""
    with open_collection(folder) as collection:
        store = collection.store
        for video_id, of in pairs.items():
            pieces, (video,) = store.fragments(FINGERPRINT, [of]), store.videos([video_id])
            embedded = Embedded(FINGERPRINT, pieces.matrix.mean(axis=0), pieces.matrix, pieces.bounds)
            store.commit([Result(video_id, Outcome.OK, Stage.STORE, WHEN, "", video.media, embedded)])
    return folder


def test_the_overview_lists_copies(view: View, tmp_path: Path) -> None:
    """How many videos are copies of others is said, and each of them is listed, titles as plain text."""
    folder = copied(make_collection(tmp_path, Wanted(videos=24, channels=8, hostile=True)), {"v001": "v000"})
    shown = texts(drawn(view(folder, "overview")))
    assert "2 videos are copies of others (1 group): evaluation keeps a group together." in shown
    assert HOSTILE[0] in shown
    assert HOSTILE[1] in shown
    assert "group 1" in shown


def test_of_very_many_videos_the_overview_does_not_wait_for_the_search(
    view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what looks for copies, and lists them once something has."""
    monkeypatch.setattr(copies_kept, "MOST_LIVE", 10)
    folder = copied(make_collection(tmp_path, Wanted(videos=24, channels=8)), {"v001": "v000"})
    shown = texts(drawn(view(folder, "overview")))
    assert "Copies of the same sound were not looked for yet" in shown
    assert "are copies of others" not in shown
    with open_collection(folder) as collection:
        kept_copies(collection.store, FINGERPRINT, collection.index_folder)
    shown = texts(drawn(view(folder, "overview")))
    assert "2 videos are copies of others (1 group)" in shown
    assert "not looked for yet" not in shown


def test_no_view_of_very_many_videos_waits_for_the_search(
    view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a video left, Errors, Labels and Runs say that copies were not looked for; once they were, they know."""
    folder = make_collection(tmp_path, Wanted(videos=48, channels=16, media=False))
    evaluated(evaluated(copied(folder, {"v004": "v000"})))
    with open_collection(folder) as collection:
        kept_copies(collection.store, FINGERPRINT, collection.index_folder)
        collection.store.remove(["v047"])
    searches: list[object] = []
    search = copies_kept.duplicate_groups
    monkeypatch.setattr(copies_kept, "MOST_LIVE", 10)
    monkeypatch.setattr(copies_kept, "duplicate_groups", lambda *of: searches.append(of) or search(*of))
    pages = {"errors": {"video": "v000", **cell_of(folder, "v000")}, "classifier": {"section": "Runs"}}
    pages |= {"labels": {"queue": "Would teach most", "video": "v000"}}
    same = "The same sound as Video number 4 of the collection"
    for name, asked in pages.items():
        shown = texts(addressed(view, folder, name, asked))
        assert "Copies of the same sound were not looked for yet: an evaluation does" in shown
        assert same not in shown
    assert not searches
    with open_collection(folder) as collection:
        kept_copies(collection.store, FINGERPRINT, collection.index_folder)
    for name, asked in pages.items():
        shown = texts(addressed(view, folder, name, asked))
        assert "not looked for yet" not in shown
        assert (same in shown) == (name != "classifier")


def cell_of(folder: Path, video_id: str) -> dict[str, str]:
    """The cell of Errors that holds a video."""
    with open_collection(folder) as collection:
        found = latest_evaluation(collection.store)
    assert found is not None
    (row,) = found[1].predictions[found[1].predictions["id"] == video_id].to_dict("records")
    return {"label": row["category"], "predicted": row["predicted"]}


def addressed(view: View, folder: Path, name: str, asked: dict[str, str]) -> AppTest:
    """A view at an address."""
    test = view(folder, "overview")
    test.query_params.update(asked)
    return drawn(test.switch_page(f"views/{name}.py").run())


def test_copies_with_different_labels_are_said_first(view: View, tmp_path: Path) -> None:
    """Copies that two categories claim are told and listed on the Overview, those that agree on a click after them."""
    pairs = {"v008": "v000", "v003": "v002"}
    folder = copied(make_collection(tmp_path, Wanted(videos=24, channels=8)), pairs)
    test = drawn(view(folder, "overview"))
    assert "1 group of copies has different labels: one sound cannot teach two categories." in texts(test)
    assert opened_by_itself(test)
    assert len(groups(test)) == 2
    test = drawn(button(test, "Show all 2 groups").click().run())
    listed = groups(test)
    assert len(listed) == 4
    assert "all-copies" not in [one.key for one in test.button]
    assert listed[0].split(" · ")[1] != listed[1].split(" · ")[1]
    assert listed[2].split(" · ")[1] == listed[3].split(" · ")[1]
    agreeing = copied(make_collection(tmp_path / "agree", Wanted(videos=24, channels=8)), {"v008": "v000"})
    test = drawn(view(agreeing, "overview"))
    assert "different labels" not in texts(test)
    assert not opened_by_itself(test)
    assert len(groups(test)) == 2


def groups(test: AppTest) -> list[str]:
    """What is said of the group of each copy that is listed."""
    return [text.value for text in test.text if text.value.startswith("group ")]


def opened_by_itself(test: AppTest) -> bool:
    """Whether the list of copies is unfolded."""
    return next(bool(one.proto.expanded) for one in test.expander if one.label == "Show them")


def test_of_very_many_groups_the_button_says_how_many_it_shows(view: View, tmp_path: Path) -> None:
    """Beside one group that differs as many as fit are shown on a click, and then how the rest is seen."""
    n = MOST_GROUPS + 4
    folder = make_collection(tmp_path, Wanted(videos=2 * n, channels=8, media=False))
    copied(folder, {"v001": "v000"} | {f"v{i + n:03d}": f"v{i:03d}" for i in range(2, n)})
    test = drawn(view(folder, "overview"))
    assert len(groups(test)) == 2
    test = drawn(button(test, f"Show {MOST_GROUPS} of {n - 1} groups").click().run())
    assert len(groups(test)) == 2 * MOST_GROUPS
    assert "3 more groups: quartzlens status --duplicates lists them." in texts(test)


def test_a_copy_is_opened_where_it_is_heard_and_decided(view: View, tmp_path: Path) -> None:
    """A click on a copy opens Labels with this video."""
    folder = copied(make_collection(tmp_path, Wanted(videos=24, channels=8)), {"v003": "v002"})
    test = drawn(view(folder, "overview"))
    test = drawn(button(test, "Open Video number 3 ").click().run())
    assert test.title[0].value == "Labels"
    assert test.query_params["video"] in ("v003", ["v003"])
    assert "The same sound as Video number 2 of the collection" in texts(test)


def test_without_copies_nothing_is_said_of_them(view: View, made_collection: Path) -> None:
    """A collection without copies has no panel on them."""
    test = drawn(view(made_collection, "overview"))
    assert "The same sound" not in [heading.value for heading in test.subheader]
    assert "copies" not in texts(test)


def test_a_long_list_of_copies_says_how_to_see_the_rest(view: View, tmp_path: Path) -> None:
    """Above some groups the page names the command that lists all."""
    n = MOST_GROUPS + 2
    folder = make_collection(tmp_path, Wanted(videos=2 * n, channels=8, media=False))
    copied(folder, {f"v{i + n:03d}": f"v{i:03d}" for i in range(n)})
    shown = texts(drawn(view(folder, "overview")))
    assert f"{2 * n} videos are copies of others ({n} groups)" in shown
    assert "2 more groups: quartzlens status --duplicates lists them." in shown
    assert f"group {MOST_GROUPS}" in shown
    assert f"group {MOST_GROUPS + 1} " not in shown


def test_the_evidence_names_the_copies_of_a_video_and_takes_them_for_no_neighbours(view: View, tmp_path: Path) -> None:
    """A judged video with a copy in another channel says whose sound it has, and the copy is not among the nearest."""
    folder = copied(
        make_collection(tmp_path, Wanted(videos=48, channels=16, hostile=True, media=False)), {"v004": "v000"}
    )
    evaluated(folder)
    with open_collection(folder) as collection:
        found = latest_evaluation(collection.store)
    assert found is not None
    assert found[0].results["copies"] == {"videos": 2, "groups": 1, "parted": 0}
    (row,) = found[1].predictions[found[1].predictions["id"] == "v000"].to_dict("records")
    test = view(folder, "errors")
    test.query_params.update({"label": row["category"], "predicted": row["predicted"], "video": "v000"})
    test = drawn(test.run())
    assert "The same sound as Video number 4 of the collection" in texts(test)
    plays = [button.label for button in test.button if button.label.startswith("Play ")]
    assert plays
    assert "Play Video number 4 of the collection" not in plays
    assert "2 videos are copies of one another (1 group)" in texts(drawn(view(folder, "classifier")))

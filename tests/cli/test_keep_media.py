"""``quartzlens ingest --keep-media no``: no sound stays, in this ingest and in those after it."""

from pathlib import Path

import pytest

from store.collection import open_collection
from tests.conftest import quartzlens
from tests.pipeline.synth import names, tone, write_media


@pytest.mark.slow
def test_no_sound_is_kept_until_it_is_wanted_again(tmp_path: Path) -> None:
    """Pictures stay and the videos are embedded; the choice holds for later ingests, and can be changed."""
    sources, folder = tmp_path / "sources", tmp_path / "collection"
    sources.mkdir()
    for number, (options, kept) in enumerate(
        [(("--keep-media", "no"), []), ((), []), (("--keep-media", "yes"), [".m4a"]), (("--keep-media", "no"), [])]
    ):
        write_media(sources / f"v{number}.mp4", [tone(2.0, 16_000, 200.0 + number)], 16_000, "aac", picture="white")
        before = set(names(folder / "media")) if number else set()
        done = quartzlens("ingest", sources, "-c", folder, *options)
        assert done.returncode == 0, done.stderr
        new = sorted(Path(name).suffix for name in set(names(folder / "media")) - before)
        assert new == [".jpg", *kept]
    assert f"what was kept before (1) stays in {folder / 'media'}" in done.stderr
    with open_collection(folder) as collection:
        media = [video.media for video in collection.store.videos()]
    assert [bool(one and one.media_file) for one in media] == [False, False, True, False]
    assert all(one and one.thumbnail_file for one in media)


@pytest.mark.slow
def test_sound_can_be_had_afterwards(tmp_path: Path) -> None:
    """Without kept sound nothing can be embedded anew; the command that is named then gets it, and then it can."""
    write_media(tmp_path / "v.wav", [tone(2.0, 16_000)], 16_000, "pcm_s16le")
    assert quartzlens("ingest", tmp_path / "v.wav", "-c", tmp_path / "c", "--keep-media", "no").returncode == 0
    without = quartzlens("reembed", "--block", "B2", "-c", tmp_path / "c")
    assert without.returncode == 1
    assert "`quartzlens ingest LIST --keep-media yes --retry ok`" in without.stderr
    again = ("--keep-media", "yes", "--retry", "ok")
    assert quartzlens("ingest", tmp_path / "v.wav", "-c", tmp_path / "c", *again).returncode == 0
    done = quartzlens("reembed", "--block", "B2", "-c", tmp_path / "c")
    assert done.returncode == 0, done.stderr


def test_what_is_neither_yes_nor_no_is_wrong_usage(tmp_path: Path) -> None:
    """It is said, and no collection is made."""
    done = quartzlens("ingest", tmp_path, "-c", tmp_path / "collection", "--keep-media", "perhaps")
    assert done.returncode == 2
    assert "--keep-media takes yes or no, not 'perhaps'" in done.stderr
    assert not (tmp_path / "collection").exists()

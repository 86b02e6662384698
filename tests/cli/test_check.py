"""``quartzlens check``, ``backup`` and ``restore``, as a person types them."""

import json
import shutil
from pathlib import Path

from tests.cli.in_process import command
from tests.conftest import quartzlens
from tests.store.sound import change, harm_table, sound


def test_check_says_what_is_wrong_and_repairs_it(tmp_path: Path) -> None:
    """Exit code 0 where all is sound, 1 with the finding where not; --repair repairs, and names what is lost."""
    folder = sound(tmp_path / "c")
    good = quartzlens("check", "-c", folder)
    assert (good.returncode, good.stdout.strip(), good.stderr) == (0, "All is sound.", "")
    change(folder, "UPDATE embeddings SET vector = x'00' WHERE video = 3 AND encoder = 1")
    bad = quartzlens("check", "-c", folder)
    assert bad.returncode == 1
    assert "video v02" in bad.stdout
    assert "Something is wrong: see above." in bad.stdout
    mended = quartzlens("check", "-c", folder, "--repair")
    assert mended.returncode == 0
    assert "Repaired: video v02" in mended.stdout
    assert mended.stdout.strip().endswith("All is sound.")


def test_check_tells_programs_in_json(tmp_path: Path) -> None:
    """With --json findings are rows; with --repair what was done and lost are lists; a long list is cut for people."""
    folder = sound(tmp_path / "c")
    harm_table(folder, "runs")
    told = json.loads(quartzlens("check", "-c", folder, "--json").stdout)
    assert (told["sound"], told["findings"][0]["severity"], told["findings"][0]["where"]) == (
        False, "wrong", "catalog.sqlite",
    )  # fmt: skip
    told = json.loads(quartzlens("check", "-c", folder, "--repair", "--json").stdout)
    assert (told["sound"], told["lost"][0], len(told["repaired"])) == (True, "runs: row 1", 3)
    for path in (folder / "media").iterdir():
        path.unlink()
    done = quartzlens("check", "-c", folder, "--repair")
    assert done.returncode == 1
    assert "And 10 more: --json lists all." in done.stdout
    assert "Lost: media/v00.m4a: missing or empty, of video v00." in done.stdout


def test_check_tells_a_program_how_far_it_is(tmp_path: Path) -> None:
    """With --progress json there is a line of JSON for each step, and the last one is what was found."""
    folder = sound(tmp_path / "c")
    (folder / "media" / "v00.m4a").unlink()
    told = quartzlens("check", "-c", folder, "--progress", "json")
    *steps, last = map(json.loads, told.stdout.splitlines())
    assert (told.returncode, told.stderr) == (1, "")
    assert "catalog: integrity" in [step["doing"] for step in steps]
    assert (last["summary"]["sound"], last["summary"]["findings"][0]["where"]) == (False, "media/v00.m4a")


def test_a_second_backup_says_what_the_collection_has_lost(tmp_path: Path) -> None:
    """What the first backup still has is kept and named; what nobody has is no whole copy: exit code 1, and advice."""
    folder = sound(tmp_path / "c")
    assert command("backup", tmp_path / "b", "-c", folder).code == 0
    (folder / "media" / "v03.m4a").unlink()
    kept = command("backup", tmp_path / "b", "-c", folder)
    assert (kept.code, f"{tmp_path / 'b'} is a whole copy of {folder}: " in kept.out) == (0, True)
    assert f"{folder} has lost 1 file that the earlier backup had: media/v03.m4a. " in kept.err
    shutil.rmtree(folder / "media")
    lacking = command("backup", tmp_path / "other", "-c", folder)
    assert (lacking.code, "whole copy" in lacking.out, "but not a whole one: 31 videos" in lacking.out) == (
        1,
        False,
        True,
    )
    assert "60 files that the catalog names are not whole" in lacking.err
    assert "media/v04.m4a and 50 more, all in its backup.json. Another" in lacking.err
    assert f"`quartzlens check -c {folder}`" in lacking.err


def test_backup_and_restore(tmp_path: Path) -> None:
    """A backup says what it holds and how it is put back; restoring asks for a yes and says where the old one is."""
    folder = sound(tmp_path / "c")
    made = quartzlens("backup", tmp_path / "b", "-c", folder)
    assert made.returncode == 0, made.stderr
    assert "31 videos" in made.stdout
    assert f"quartzlens restore {tmp_path / 'b'} -c {folder} --yes" in made.stdout
    refused = quartzlens("restore", tmp_path / "b", "-c", folder)
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    back = quartzlens("restore", tmp_path / "b", "-c", folder, "--yes")
    assert back.returncode == 0, back.stderr
    assert "before-restore" in back.stdout
    new = quartzlens("restore", tmp_path / "b", "-c", tmp_path / "new")
    assert new.stdout.strip() == f"{tmp_path / 'new'} is what {tmp_path / 'b'} was copied from."
    assert quartzlens("check", "-c", tmp_path / "new").returncode == 0
    nothing = quartzlens("check", "-c", tmp_path / "nowhere")
    assert (nothing.returncode, "no collection" in nothing.stderr) == (1, True)

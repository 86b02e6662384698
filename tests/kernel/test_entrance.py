"""Who may see the dashboard: addresses, hashes of passwords, and what is refused."""

import os
import pty
import subprocess
import sys
from contextlib import suppress

import pytest

from quartzlens.config import load_settings
from quartzlens.entrance import Locks, check_entrance, hashed, is_loopback, is_password, is_secret
from quartzlens.errors import UsageError
from tests.conftest import quartzlens

SECRET = "a secret of thirty characters."


def test_only_loopback_needs_no_lock() -> None:
    """Without a lock every address that others reach is refused with what to do, and those of this machine are not."""
    for address in ("127.0.0.1", "127.3.2.1", "::1", "localhost"):
        check_entrance(address, Locks())
    for address in (None, "", "0.0.0.0", "::", "192.168.1.2", "example.org", "unix:///tmp/a"):
        with pytest.raises(UsageError, match="quartzlens password"):
            check_entrance(address, Locks())
        check_entrance(address, Locks(proxy_secret=SECRET))
        assert not is_loopback(address)


def test_a_password_is_known_by_its_hash() -> None:
    """The password alone matches its hash, and two hashes of one password differ."""
    first, second = hashed("päss word"), hashed("päss word")
    assert first != second
    assert is_password("päss word", first)
    assert is_password("päss word", second)
    assert not is_password("pass word", first)
    assert not is_password("", first)


@pytest.mark.parametrize("text", ["secret", "scrypt:1:8:1:aa:aa", "scrypt:32768:8:1:AAAA", "md5:32768:8:1:AAAA:AAAA"])
def test_what_is_no_hash_is_refused_without_being_told(text: str) -> None:
    """A setting that is no hash, such as the password itself, is refused by a message that does not repeat it."""
    with pytest.raises(UsageError) as refused:
        check_entrance("127.0.0.1", Locks(password_hash=text))
    assert text not in str(refused.value)


def test_a_short_password_and_a_short_secret_are_refused() -> None:
    """Neither a password of seven characters nor a proxy's secret of nineteen is taken."""
    with pytest.raises(UsageError, match="at least 8"):
        hashed("seven77")
    with pytest.raises(UsageError, match="shorter than 20"):
        check_entrance("0.0.0.0", Locks(proxy_secret="x" * 19))


def test_an_empty_secret_lets_nobody_in() -> None:
    """Only the secret itself is the secret; where none is set, nothing is."""
    assert is_secret(SECRET, SECRET)
    assert not is_secret(None, SECRET)
    assert not is_secret("", "")
    assert not is_secret(None, "")


def test_the_settings_hide_what_they_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment gives the locks, and printing the settings shows neither."""
    monkeypatch.setenv("QUARTZLENS_PASSWORD_HASH", "scrypt:abc")
    monkeypatch.setenv("QUARTZLENS_TRUSTED_PROXY_SECRET", SECRET)
    settings = load_settings()
    assert settings.locks == Locks("scrypt:abc", SECRET)
    assert "abc" not in repr(settings)
    assert SECRET not in repr(settings)
    assert SECRET not in repr(settings.locks)


def test_the_command_asks_twice_at_a_terminal() -> None:
    """``quartzlens password`` shows nothing of what is typed, and prints a line for the shell with its hash."""
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "quartzlens", "password"]
    streams = {"stdin": its, "stdout": subprocess.PIPE, "stderr": its, "start_new_session": True}
    with subprocess.Popen(command, **streams) as process:
        os.close(its)
        shown = b""
        for question in (b"Password of the dashboard: ", b"Repeat for confirmation: "):
            while question not in shown:
                shown += os.read(ours, 1024)
            os.write(ours, b"correct horse\n")
        line = process.communicate(timeout=60)[0].decode().strip()
    with suppress(OSError):  # Linux says so at the end of a terminal
        while more := os.read(ours, 1024):
            shown += more
    os.close(ours)
    assert line.startswith("export QUARTZLENS_PASSWORD_HASH=scrypt:")
    assert is_password("correct horse", line.split("=", 1)[1])
    assert b"horse" not in shown


def test_the_command_takes_a_password_from_a_pipe() -> None:
    """Nothing is asked where nobody could answer."""
    done = quartzlens("password", input="correct horse\n")
    assert (done.returncode, done.stderr) == (0, "")
    line = done.stdout.removesuffix("\n")
    assert line.startswith("export QUARTZLENS_PASSWORD_HASH=scrypt:")
    assert is_password("correct horse", line.split("=", 1)[1])
    assert "correct horse" not in done.stdout


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_the_command_refuses_an_open_address(address: str, tmp_path: object) -> None:
    """``quartzlens dashboard`` on an address that others reach ends with 2 and what to do, before anything else."""
    done = quartzlens("dashboard", "-c", str(tmp_path), "--address", address)
    assert done.returncode == 2
    assert "quartzlens password" in done.stderr
    assert "http://" not in done.stderr

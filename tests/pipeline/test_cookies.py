"""A user's cookie file: what is taken for one, that yt-dlp reads it without a word, and that nothing quotes it."""

import stat
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cookies import check_cookies, in_use, private_copy
from quartzlens.errors import UsageError

HEAD = "# Netscape HTTP Cookie File\n"
COOKIE = "127.0.0.1\tFALSE\t/\tFALSE\t0\tSID\tsecret\n"


def written(folder: Path, text: str | bytes) -> Path:
    """A file of that content."""
    path = folder / "cookies.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        HEAD + COOKIE,
        "# HTTP Cookie File\n\n# a comment\n" + COOKIE,
        HEAD + "#HttpOnly_.example.org\tTRUE\t/\tTRUE\t1999999999\tSID\tsecret\n",
        (HEAD + COOKIE).replace("\n", "\r\n"),
        HEAD + ".example.org\tTRUE\t/\tTRUE\t1999999999.5\tSID\t\n",
    ],
)
def test_what_browsers_export_is_a_cookie_file(tmp_path: Path, text: str) -> None:
    """Comments, HttpOnly cookies, lines of Windows and empty values are all of the format; the file stays as it is."""
    path = written(tmp_path, text)
    check_cookies(path)
    assert path.read_bytes() == text.encode()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "first line"),
        (COOKIE, "first line"),
        ('[{"name": "SID", "value": "secret"}]', "first line"),
        (HEAD, "no cookies"),
        (HEAD + "# only secret comments\n", "no cookies"),
        (HEAD + COOKIE + "127.0.0.1 FALSE / FALSE 0 SID secret\n", "line 3 has 1 fields"),
        (HEAD + COOKIE.replace("\t0\t", "\tsecret\t"), "line 2 is not a cookie"),
        (HEAD + COOKIE.replace("FALSE", "TRUE"), "line 2 is not a cookie"),
        (HEAD.encode() + b"\xff secret", "not text"),
    ],
)
def test_what_is_no_cookie_file_is_told_without_quoting_it(tmp_path: Path, text: str | bytes, problem: str) -> None:
    """The message has the reason and the line's number, and nothing of the file."""
    with pytest.raises(UsageError, match=problem) as caught:
        check_cookies(written(tmp_path, text))
    assert "secret" not in str(caught.value)


def test_a_cookie_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing file and a folder are wrong usage."""
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(UsageError, match="no cookie file"):
            check_cookies(path)


ODD = [
    "TRUE",
    "FALSE",
    ".a.org",
    "a.org",
    "0",
    "-1",
    "9" * 400,
    "1.5",
    "",
    "/",
    "#HttpOnly_a",
    " ",
    "$",
    "\x1c",
    "\u2028",
]
FIELD = st.sampled_from(ODD) | st.text(st.characters(codec="utf-8"), max_size=3)
LINE = st.lists(FIELD, min_size=1, max_size=8) | st.tuples(*[FIELD] * 4, st.sampled_from(["", "0", "9"]), FIELD, FIELD)


@given(lines=st.lists(LINE.map("\t".join), max_size=3))
def test_yt_dlp_reads_what_is_taken_without_a_word(lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever the lines, those that pass are loaded by yt-dlp without an error or a warning that would quote them."""
    from yt_dlp.cookies import YoutubeDLCookieJar

    path = written(tmp_path_factory.mktemp("cookies"), HEAD + COOKIE + "\n".join(lines))
    try:
        check_cookies(path)
    except UsageError:
        return
    with redirect_stderr(StringIO()) as said:
        YoutubeDLCookieJar(str(path)).load()
    assert said.getvalue() == ""


def test_a_copy_is_its_owners_alone(tmp_path: Path) -> None:
    """Whatever rights the user's file has, nobody else can read the copy, also where an open one lay before."""
    source = written(tmp_path, HEAD + COOKIE)
    source.chmod(0o644)
    (tmp_path / "copy").touch(mode=0o644)
    copy = private_copy(source, tmp_path / "copy")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert copy.read_bytes() == source.read_bytes()


def test_what_yt_dlp_changes_counts_only_when_it_has_ended(tmp_path: Path) -> None:
    """Cookies that the site renewed are kept for the next download; half a file never is."""
    cookies = written(tmp_path, HEAD + COOKIE)
    with in_use(cookies) as copy:
        assert copy is not None
        copy.write_text("renewed")
        assert cookies.read_text() == HEAD + COOKIE
    assert cookies.read_text() == "renewed"
    assert [path.name for path in tmp_path.iterdir()] == ["cookies.txt"]

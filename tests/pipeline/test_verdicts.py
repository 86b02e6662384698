"""What is kept of yt-dlp's words."""

import pytest

from pipeline.verdicts import plain


@pytest.mark.parametrize("end", ["", "."])
def test_a_wish_for_a_bug_report_is_not_kept(end: str) -> None:
    """What yt-dlp adds to every error that it did not expect is cut off; the cause that it names stays."""
    from yt_dlp.utils import ExtractorError, bug_reports_message

    words = f"[youtube] a: Hm{end}"
    error = ExtractorError(f"Hm{end}", video_id="a", ie="youtube", cause=ValueError("X"))
    assert "please report" in str(error)
    assert plain(str(error)) == f"{words} (caused by ValueError('X'))"
    assert plain(bug_reports_message(words)) == words

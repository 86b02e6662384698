"""Which videos were lost, and which rows cannot be used: all of it beside each other, or of very much the first."""

from itertools import islice

from dashboard import parts, state
from dashboard.wording import shown_command

MOST_LISTED = 1_000
WIDTHS = {"title": 190, "detail": 240, "source": 300}  # what strangers wrote at length hides no column beside it


def show(now: state.Tables) -> None:
    """Draw both tables; nothing where nothing is lost."""
    if not now.lost and not now.info.bad_rows:
        return
    gone = (video for video in now.by_id.values() if video.outcome not in {None, "ok"})
    facts = [(v.id, v.title, str(v.outcome), str(v.stage), v.detail, v.source) for v in islice(gone, MOST_LISTED)]
    bad = [(row.source_list, row.number, row.problem) for row in now.info.bad_rows[:MOST_LISTED]]
    with parts.panel("lost"):
        parts.table("The lost ones", ["id", "title", "outcome", "stage", "detail", "source"], facts, WIDTHS)
        _more(now.lost, "lost", "--list", "OUTCOME")
        parts.table("Rows that cannot be used", ["list", "row", "problem"], bad)
        _more(len(now.info.bad_rows), "bad-rows", "--bad-rows")


def _more(n: int, key: str, *flags: str) -> None:
    """Say how all of a table are listed where not all are in it."""
    if n > MOST_LISTED:
        command = shown_command("status", *flags, "-c", str(state.folder()))
        parts.notice(f"The first {MOST_LISTED:,} of {n:,}. All of them:", f"more-{key}", command)

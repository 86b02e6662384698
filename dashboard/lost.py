"""Which videos were lost, and which rows cannot be used: all of it beside each other."""

from dashboard import parts, state

WIDTHS = {"title": 190, "detail": 240, "source": 300}  # what strangers wrote at length hides no column beside it


def show(now: state.Tables) -> None:
    """Draw both tables; nothing where nothing is lost."""
    videos = [v for v in now.by_id.values() if v.outcome not in {None, "ok"}]
    if not videos and not now.info.bad_rows:
        return
    with parts.panel("lost"):
        facts = [(v.id, v.title, str(v.outcome), str(v.stage), v.detail, v.source) for v in videos]
        parts.table("The lost ones", ["id", "title", "outcome", "stage", "detail", "source"], facts, WIDTHS)
        bad = [(row.source_list, row.number, row.problem) for row in now.info.bad_rows]
        parts.table("Rows that cannot be used", ["list", "row", "problem"], bad)

"""SQL for videos, rows of lists, labels. Each function works inside the transaction of the connection it is given."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence

from quartzlens.outcomes import Outcome, Stage
from quartzlens.records import BadRow, Label, LabelSource, Media, Row, Video
from store import rules
from store.labels import current_categories

# SQLite takes 999 parameters in its oldest builds; above that a full read and a set are quicker anyway.
FEW = 900


def wanted(column: str, ids: Collection[str] | None) -> tuple[str, tuple[str, ...]]:
    """A condition that picks ``ids`` where they are few, else one that picks everything; ``chosen`` does the rest."""
    if ids is None or len(ids) > FEW:
        return "1", ()
    return f"{column} IN ({','.join('?' * len(ids))})", tuple(ids)


def chosen(ids: Collection[str] | None) -> Collection[str] | None:
    """The ids that must still be looked for among the rows that ``wanted`` let pass."""
    return None if ids is None or len(ids) <= FEW else frozenset(ids)


def videos(connection: sqlite3.Connection, ids: Collection[str] | None) -> tuple[Video, ...]:
    """Videos in the order in which they came, with the categories that their labels claim now."""
    condition, parameters = wanted("id", ids)
    only = chosen(ids)
    # A cursor's own row factory leaves the connection, which others use after, as it is.
    cursor = connection.cursor()
    cursor.row_factory = sqlite3.Row
    statement = f"SELECT * FROM videos WHERE {condition} ORDER BY seq"  # noqa: S608 - constants and question marks alone
    found: list[sqlite3.Row] = cursor.execute(statement, parameters).fetchall()
    history: dict[str, list[Label]] = {}
    for label in labels(connection, ids):
        history.setdefault(label.video_id, []).append(label)
    return tuple(
        _video(row, current_categories(history.get(row["id"], ())))
        for row in found
        if only is None or row["id"] in only
    )


def _video(row: sqlite3.Row, categories: tuple[str, ...]) -> Video:
    return Video(
        id=row["id"],
        source=row["source"],
        title=row["title"] or row["told_title"],
        description=row["description"],
        channel=row["channel"] or row["told_channel"],
        extra=json.loads(row["extra"]),
        categories=categories,
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        stage=None if row["stage"] is None else Stage(row["stage"]),
        detail=row["detail"],
        tried_at=row["tried_at"],
        media=None if row["clip_seconds"] is None else _media(row),
    )


def _media(row: sqlite3.Row) -> Media:
    return Media(
        source_seconds=row["source_seconds"],
        clip_seconds=row["clip_seconds"],
        loudness_dbfs=row["loudness_dbfs"],
        codec=row["codec"],
        sample_rate_hz=row["sample_rate_hz"],
        silent=bool(row["silent"]),
        media_file=row["media_file"],
        thumbnail_file=row["thumbnail_file"],
    )


def labels(connection: sqlite3.Connection, ids: Collection[str] | None = None) -> tuple[Label, ...]:
    """The label history in the order in which it was given; with few ``ids`` only theirs."""
    condition, parameters = wanted("videos.id", ids)
    found = connection.execute(
        "SELECT videos.id, category, labels.source, origin, given_at, person, note, bulk, undo "  # noqa: S608 - constants and question marks alone
        f"FROM labels JOIN videos ON videos.seq = labels.video WHERE {condition} ORDER BY labels.seq",
        parameters,
    )
    return tuple(
        Label(video_id, category, LabelSource(source), origin, given_at, person, note, bulk, bool(undo))
        for video_id, category, source, origin, given_at, person, note, bulk, undo in found
    )


def sequence_of(connection: sqlite3.Connection, ids: Collection[str]) -> dict[str, int]:
    """The catalog's number of each video of ``ids`` that is there."""
    condition, parameters = wanted("id", ids)
    found = connection.execute(f"SELECT id, seq FROM videos WHERE {condition}", parameters)  # noqa: S608 - as above
    only = chosen(ids)
    return {video_id: seq for video_id, seq in found if only is None or video_id in only}


def add_labels(connection: sqlite3.Connection, given: Sequence[Label]) -> None:
    """Append to the label history; UnknownVideoError for an id that is not there."""
    ids = {label.video_id for label in given}
    known = sequence_of(connection, ids)
    rules.check_known(ids, known)
    connection.executemany(
        "INSERT INTO labels (video, category, source, origin, given_at, person, note, bulk, undo) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                known[label.video_id],
                label.category,
                label.source.value,
                label.origin,
                label.given_at,
                label.person,
                label.note,
                label.bulk,
                label.undo,
            )
            for label in given
        ),
    )


def rows_of(connection: sqlite3.Connection, source_list: str) -> list[Row]:
    """The rows of a list in the order of their numbers."""
    found = connection.execute(
        "SELECT number, videos.id, list_rows.source, list_rows.title, list_rows.description, list_rows.channel, label,"
        " list_rows.extra FROM list_rows JOIN videos ON videos.seq = video JOIN lists ON lists.seq = list"
        " WHERE name = ? ORDER BY number",
        (source_list,),
    )
    return [
        Row(source_list, number, video_id, source, title, description, channel, label, json.loads(extra))
        for number, video_id, source, title, description, channel, label, extra in found
    ]


def replace_rows(
    connection: sqlite3.Connection, source_list: str, rows: Sequence[Row], bad_rows: Sequence[BadRow]
) -> None:
    """Make these the rows of a list: add new videos and changed labels, and let go of videos that nothing holds."""
    connection.execute("INSERT OR IGNORE INTO lists (name) VALUES (?)", (source_list,))
    list_seq = connection.execute("SELECT seq FROM lists WHERE name = ?", (source_list,)).fetchone()[0]
    before = {
        number: (video_id, label)
        for number, video_id, label in connection.execute(
            "SELECT number, videos.id, label FROM list_rows JOIN videos ON videos.seq = video WHERE list = ?",
            (list_seq,),
        )
    }
    connection.executemany(
        "INSERT OR IGNORE INTO videos (id, source) VALUES (?, ?)", ((row.video_id, row.source) for row in rows)
    )
    known = sequence_of(connection, {row.video_id for row in rows})
    write_rows(connection, list_seq, rows, bad_rows, known)
    add_labels(connection, rules.label_changes(source_list, before, rows))
    _take_first_rows(connection)
    erase(connection, _unheld(connection))


def write_rows(
    connection: sqlite3.Connection,
    list_seq: int,
    rows: Sequence[Row],
    bad_rows: Sequence[BadRow],
    known: dict[str, int],
) -> None:
    """Put rows and bad rows in the place of those that a list has."""
    connection.execute("DELETE FROM list_rows WHERE list = ?", (list_seq,))
    connection.execute("DELETE FROM bad_rows WHERE list = ?", (list_seq,))
    connection.executemany(
        "INSERT INTO list_rows (list, number, video, source, title, description, channel, extra, label) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                list_seq,
                row.number,
                known[row.video_id],
                row.source,
                row.title,
                row.description,
                row.channel,
                json.dumps(dict(row.extra)),
                row.label,
            )
            for row in rows
        ),
    )
    connection.executemany(
        "INSERT INTO bad_rows (list, position, number, problem) VALUES (?, ?, ?, ?)",
        ((list_seq, position, bad.number, bad.problem) for position, bad in enumerate(bad_rows)),
    )


def _take_first_rows(connection: sqlite3.Connection) -> None:
    """Give every video the facts of its first row, by the order of the lists and then of their rows."""
    connection.execute(
        "UPDATE videos SET (source, title, description, channel, extra) = ("
        "  SELECT source, title, description, channel, extra FROM list_rows"
        "  WHERE video = videos.seq ORDER BY list, number LIMIT 1)"
        "WHERE seq IN (SELECT video FROM list_rows)"
    )


def _unheld(connection: sqlite3.Connection) -> list[int]:
    """Videos that neither a row, nor an embedding, nor a person's label holds."""
    found = connection.execute(
        "SELECT seq FROM videos WHERE seq NOT IN (SELECT video FROM list_rows)"
        " AND seq NOT IN (SELECT video FROM embeddings)"
        " AND seq NOT IN (SELECT video FROM labels WHERE source = ?)",
        (LabelSource.PERSON.value,),
    )
    return [seq for (seq,) in found]


def erase(connection: sqlite3.Connection, seqs: Iterable[int]) -> None:
    """Erase videos with all that is theirs; runs keep pointing at the labels they saw, and revisions move."""
    gone = set(seqs)
    history = connection.execute("SELECT video FROM labels ORDER BY seq")
    erased = [position for position, (video,) in enumerate(history) if video in gone]
    for run, labels_seen in connection.execute("SELECT seq, labels_seen FROM runs").fetchall():
        left = rules.labels_seen_after(labels_seen, erased)
        connection.execute("UPDATE runs SET labels_seen = ? WHERE seq = ?", (left, run))
    touched: set[tuple[int]] = set()
    for seq in gone:
        touched.update(connection.execute("SELECT encoder FROM embeddings WHERE video = ?", (seq,)))
        connection.execute("DELETE FROM videos WHERE seq = ?", (seq,))
    connection.executemany("UPDATE encoders SET revision = revision + 1, removed = revision + 1 WHERE seq = ?", touched)


def bad_rows(connection: sqlite3.Connection) -> tuple[BadRow, ...]:
    """The bad rows of all lists, in the order of the lists."""
    found = connection.execute(
        "SELECT name, number, problem FROM bad_rows JOIN lists ON lists.seq = list ORDER BY list, position"
    )
    return tuple(BadRow(name, number, problem) for name, number, problem in found)


def count(connection: sqlite3.Connection, table: str) -> int:
    """The number of rows of a table of the catalog (a constant of ours, never a value from outside)."""
    counted: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - see above
    return counted

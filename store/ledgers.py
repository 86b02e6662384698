"""SQL for moving a catalog to another store and back, inside the transaction of the connection given."""

import json
import sqlite3
from dataclasses import asdict

from quartzlens.records import Video
from store import catalog, embedded, rules
from store.base import Ledger

_KEPT = ("videos", "lists", "labels", "encoders", "runs")


def read(connection: sqlite3.Connection) -> Ledger:
    """What the contract does not tell word for word."""
    found = connection.execute(
        "SELECT id, source, title, description, channel, extra, told_title, told_channel FROM videos ORDER BY seq"
    ).fetchall()
    names = [name for (name,) in connection.execute("SELECT name FROM lists ORDER BY seq")]
    bad_rows = catalog.bad_rows(connection)
    blocks: dict[str, tuple[str, ...]] = {}
    for key, block in connection.execute(
        "SELECT DISTINCT key, block FROM profiles JOIN encoders ON encoders.seq = encoder ORDER BY key, block"
    ):
        blocks[key] = (*blocks.get(key, ()), block)
    return Ledger(
        tuple(
            Video(video_id, source, title, description, channel, json.loads(extra))
            for video_id, source, title, description, channel, extra, *_ in found
        ),
        tuple((title, channel) for *_, title, channel in found),
        tuple(
            (name, tuple(catalog.rows_of(connection, name)), tuple(bad for bad in bad_rows if bad.source_list == name))
            for name in names
        ),
        catalog.labels(connection),
        tuple(encoder for encoder, _ in embedded.encoders(connection)),
        blocks,
    )


def write(connection: sqlite3.Connection, ledger: Ledger) -> None:
    """Be what another store is; CollectionError where something is kept already."""
    if any(catalog.count(connection, table) for table in _KEPT):
        raise rules.not_empty()
    connection.executemany(
        "INSERT INTO videos (id, source, title, description, channel, extra, told_title, told_channel) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (one.id, one.source, one.title, one.description, one.channel, json.dumps(dict(one.extra)), *told)
            for one, told in zip(ledger.videos, ledger.told, strict=True)
        ),
    )
    known = catalog.sequence_of(connection, {one.id for one in ledger.videos})
    for name, rows, bad_rows in ledger.lists:
        (seq,) = connection.execute("INSERT INTO lists (name) VALUES (?) RETURNING seq", (name,)).fetchone()
        catalog.write_rows(connection, seq, rows, bad_rows, known)
    catalog.add_labels(connection, ledger.labels)
    connection.executemany(
        "INSERT INTO encoders (key, facts) VALUES (?, ?)",
        ((one.key, json.dumps(asdict(one))) for one in ledger.encoders),
    )

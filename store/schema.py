"""The catalog's tables, as numbered steps: steps are only ever added at the end, never changed."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from quartzlens.errors import CollectionError
from store.catalog_copy import copy_catalog

PAGE_BYTES = 16384

# videos.seq and lists.seq are the order in which they came. told_ is what a site said, for where the list says nothing.
# A label, embedding or row leaves with its video.
_FIRST = """
CREATE TABLE videos (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    channel TEXT,
    extra TEXT NOT NULL DEFAULT '{}',
    told_title TEXT NOT NULL DEFAULT '',
    told_channel TEXT,
    outcome TEXT,
    stage TEXT,
    detail TEXT NOT NULL DEFAULT '',
    tried_at TEXT,
    source_seconds REAL,
    clip_seconds REAL,
    loudness_dbfs REAL,
    codec TEXT,
    sample_rate_hz INTEGER,
    silent INTEGER,
    media_file TEXT,
    thumbnail_file TEXT
);
CREATE TABLE lists (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE list_rows (
    list INTEGER NOT NULL REFERENCES lists ON DELETE CASCADE,
    number INTEGER NOT NULL,
    video INTEGER NOT NULL REFERENCES videos ON DELETE CASCADE,
    source TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    channel TEXT,
    extra TEXT NOT NULL,
    label TEXT,
    PRIMARY KEY (list, number)
);
CREATE INDEX list_rows_video ON list_rows (video, list, number);
CREATE TABLE bad_rows (
    list INTEGER NOT NULL REFERENCES lists ON DELETE CASCADE,
    position INTEGER NOT NULL,
    number INTEGER NOT NULL,
    problem TEXT NOT NULL,
    PRIMARY KEY (list, position)
);
CREATE TABLE labels (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    video INTEGER NOT NULL REFERENCES videos ON DELETE CASCADE,
    category TEXT,
    source TEXT NOT NULL,
    origin TEXT NOT NULL,
    given_at TEXT NOT NULL
);
CREATE INDEX labels_video ON labels (video, source);
CREATE TABLE encoders (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    facts TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE embeddings (
    video INTEGER NOT NULL REFERENCES videos ON DELETE CASCADE,
    encoder INTEGER NOT NULL REFERENCES encoders ON DELETE CASCADE,
    vector BLOB NOT NULL,
    UNIQUE (video, encoder)
);
CREATE INDEX embeddings_encoder ON embeddings (encoder, video);
CREATE TABLE fragments (
    video INTEGER NOT NULL REFERENCES videos ON DELETE CASCADE,
    encoder INTEGER NOT NULL REFERENCES encoders ON DELETE CASCADE,
    bounds BLOB NOT NULL,
    matrix BLOB NOT NULL,
    UNIQUE (video, encoder)
);
CREATE TABLE index_files (
    encoder INTEGER PRIMARY KEY REFERENCES encoders ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    count INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    faiss_version TEXT NOT NULL
);
CREATE TABLE runs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    created_at TEXT NOT NULL,
    fingerprint_key TEXT NOT NULL,
    seed INTEGER NOT NULL,
    labels_seen INTEGER NOT NULL,
    settings TEXT NOT NULL,
    results TEXT NOT NULL
);
CREATE TABLE run_files (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (run, name)
);
"""

# The index has a copy of the words as they are compared (``store.words``), not as they were heard, so that SQLite's own
# tokenizer has only spaces left to split at. A video or encoder that goes takes its words along, and the trigger, which
# fires for those too, takes them out of the index.
_PROFILES_AND_WORDS = """
CREATE TABLE profiles (
    video INTEGER NOT NULL REFERENCES videos ON DELETE CASCADE,
    encoder INTEGER NOT NULL REFERENCES encoders ON DELETE CASCADE,
    block TEXT NOT NULL,
    matrix BLOB NOT NULL,
    UNIQUE (video, encoder, block)
);
CREATE INDEX profiles_block ON profiles (encoder, block, video);
CREATE TABLE words (
    seq INTEGER PRIMARY KEY,
    video INTEGER NOT NULL REFERENCES videos ON DELETE CASCADE,
    encoder INTEGER NOT NULL REFERENCES encoders ON DELETE CASCADE,
    number INTEGER NOT NULL,
    text TEXT NOT NULL,
    probability REAL NOT NULL,
    UNIQUE (video, encoder, number)
);
CREATE INDEX words_encoder ON words (encoder, video, number);
CREATE VIRTUAL TABLE heard USING fts5 (tokens, tokenize = 'ascii');
CREATE TRIGGER words_gone AFTER DELETE ON words BEGIN
    DELETE FROM heard WHERE rowid = old.seq;
END;
"""

# What an index lacks is told by revisions: an embedding's is its encoder's when it was written, ``removed`` the
# encoder's when embeddings went last. An index file has a name of its own, so that the one before it stays whole until
# its row is here.
_INDEXES_THAT_GROW = """
ALTER TABLE embeddings ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
UPDATE embeddings SET revision = (SELECT revision FROM encoders WHERE seq = encoder);
CREATE INDEX embeddings_revision ON embeddings (encoder, revision, video);
ALTER TABLE encoders ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;
UPDATE encoders SET removed = revision;
DROP TABLE index_files;
CREATE TABLE index_files (
    encoder INTEGER NOT NULL REFERENCES encoders ON DELETE CASCADE,
    what TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    revision INTEGER NOT NULL,
    count INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    faiss_version TEXT NOT NULL,
    error REAL NOT NULL,
    probes INTEGER NOT NULL,
    recall REAL NOT NULL,
    chosen INTEGER NOT NULL,
    PRIMARY KEY (encoder, what)
);
"""

# Indexes with lists around centroids gave way to graphs; a search makes those anew.
_GRAPHS = """
ALTER TABLE index_files RENAME COLUMN probes TO effort;
DELETE FROM index_files WHERE kind = 'ivf';
"""

# Who said it, what was written beside it, which entries were given in one go, and whether one takes another back.
_PERSONS_AND_NOTES = """
ALTER TABLE labels ADD COLUMN person TEXT NOT NULL DEFAULT '';
ALTER TABLE labels ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE labels ADD COLUMN bulk TEXT NOT NULL DEFAULT '';
ALTER TABLE labels ADD COLUMN undo INTEGER NOT NULL DEFAULT 0;
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _PROFILES_AND_WORDS, _INDEXES_THAT_GROW, _GRAPHS, _PERSONS_AND_NOTES)


def version_of(connection: sqlite3.Connection) -> int:
    """The number of steps that the catalog has been through; 0 for an empty one."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[str] = MIGRATIONS) -> Path | None:
    """Bring a catalog to the newest version: all steps in one transaction, after a copy of what was there.

    Returns
    -------
    Path or None
        The copy of the catalog as it was, which outlives a crash at any moment; None where none was needed, since
        nothing was there or nothing had to be done.

    Raises
    ------
    CollectionError
        A newer quartzlens wrote it, or there is no room for the copy; the catalog is as it was.
    """
    check_not_newer(connection, path, len(steps))
    if version_of(connection) == len(steps):
        return None
    # Taken before the copy is made, so that nobody changes the catalog between the two.
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = version_of(connection)
        copy = _kept(path, len(steps)) if version else None
        for statement in statements(steps[version:]):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return copy


def _kept(path: Path, version: int) -> Path:
    """A copy of a catalog beside it, from before it is brought to a version."""
    copy = path.with_name(f"{path.name}.before-version-{version}")
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            version_of(reader)
            copy_catalog(reader, copy)
    except (OSError, sqlite3.OperationalError) as error:
        message = (
            f"{path} must be brought to version {version} and cannot be copied first ({error}): "
            f"make room for {path.stat().st_size / 1e6:,.0f} MB more and run the same command again; "
            "the catalog is as it was."
        )
        raise CollectionError(message) from error
    return copy


def statements(scripts: Sequence[str]) -> Iterator[str]:
    """The statements of scripts one by one: ``executescript`` would end the transaction."""
    for script in scripts:
        statement = ""
        for line in script.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                yield statement
                statement = ""


def check_not_newer(connection: sqlite3.Connection, path: Path, newest: int = len(MIGRATIONS)) -> None:
    """Raise CollectionError, naming both versions, where the catalog is newer than this program."""
    version = version_of(connection)
    if version > newest:
        message = (
            f"{path} is of version {version}, and this quartzlens reads versions up to {newest}: "
            "open it with the newer quartzlens that wrote it, or update this one."
        )
        raise CollectionError(message)


def check_current(connection: sqlite3.Connection, path: Path) -> None:
    """Raise CollectionError where a catalog opened for reading alone is of another version than this program's."""
    check_not_newer(connection, path)
    version = version_of(connection)
    if version < len(MIGRATIONS):
        message = (
            f"{path} is of version {version} and must be brought to version {len(MIGRATIONS)}: "
            "open the collection once where it can be written (quartzlens status -c DIR)."
        )
        raise CollectionError(message)

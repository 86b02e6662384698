"""Runs as they are kept: a readable id, settings and results as JSON values, tables as Parquet in memory."""

import io
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from quartzlens.errors import CollectionError, UsageError
from quartzlens.records import Fingerprint, Json, Run
from store.base import Store

RUN_COLUMNS = ("id", "kind", "created_at", "classifier", "accuracy", "low", "high", "n", "encoder", "seed")
_MOST_NAMED = 12


def runs_table(store: Store) -> pd.DataFrame:
    """All runs of a store, one row each, oldest first.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``kind`` (``train`` or ``evaluate``), ``created_at`` (ISO 8601, UTC), ``classifier`` (None where none is
        named), ``accuracy`` with the ends ``low`` and ``high`` of its 95 % interval (float64; NaN where the run has
        none), ``n`` (videos judged), ``encoder`` (in words; its key where the store does not know it), ``seed``.
    """
    names = {encoder.key: str(encoder) for encoder in store.info().encoders}
    rows = [_row(run, names.get(run.fingerprint_key, run.fingerprint_key)) for run in store.runs()]
    table = pd.DataFrame(rows, columns=list(RUN_COLUMNS), dtype=object)
    return table.astype({"accuracy": "float64", "low": "float64", "high": "float64", "n": "int64", "seed": "int64"})


def _row(run: Run, encoder: str) -> tuple[object, ...]:
    accuracy: Any = run.results.get("accuracy") or {}
    numbers = [accuracy.get(name) for name in ("value", "low", "high")]
    n = run.results.get("n") or 0
    classifier = run.settings.get("classifier") or run.results.get("classifier")
    return (run.id, run.kind, run.created_at, classifier, *numbers, n, encoder, run.seed)


def named_run(store: Store, run_id: str) -> Run:
    """The run of an id, with its files.

    Raises
    ------
    UsageError
        There is none: the message says which there are.
    CollectionError
        A file of it is gone or damaged.
    """
    for run in store.runs(run_id):
        return run
    raise UsageError(unknown_run(store, run_id))


def unknown_run(store: Store, run_id: str) -> str:
    """That no run has an id, and which runs there are, the latest first."""
    there = [run.id for run in reversed(store.runs())]
    more = f" and {len(there) - _MOST_NAMED:,} more" if len(there) > _MOST_NAMED else ""
    known = f"there are {', '.join(there[:_MOST_NAMED])}{more}" if there else "there is none yet"
    return f"No run is called {run_id!r}: {known}."


def evaluations_of(runs: Iterable[Run], fingerprint: Fingerprint | None) -> list[Run]:
    """Evaluations among ``runs``, in their order: those of ``fingerprint``, or all where it is None."""
    return [
        run
        for run in runs
        if run.kind == "evaluate" and (fingerprint is None or run.fingerprint_key == fingerprint.key)
    ]


def make_run(
    kind: str,
    fingerprint: Fingerprint,
    seed: int,
    labels_seen: int,
    *,
    settings: Mapping[str, Json],
    results: Mapping[str, Json],
    files: Mapping[str, bytes],
    created_at: datetime | None = None,
) -> Run:
    """Make a run with an id such as ``evaluate-20261123-190501-ab12`` (kind, time in UTC, chance)."""
    now = (created_at or datetime.now(UTC)).astimezone(UTC)
    run_id = f"{kind}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    stamp = now.isoformat(timespec="seconds")
    return Run(run_id, kind, stamp, fingerprint.key, seed, labels_seen, settings, results, files)


def parquet_bytes(table: pd.DataFrame) -> bytes:
    """Write a table as a Parquet file in memory; the same table gives the same bytes."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, engine="pyarrow", index=False)
    return buffer.getvalue()


def read_table(run: Run, name: str) -> pd.DataFrame:
    """Read a table that a run kept.

    Raises
    ------
    CollectionError
        The run has no file of that name, or it is damaged.
    """
    if name not in run.files:
        raise CollectionError(
            f"Run {run.id} ({run.kind}) has kept no {name}. Run the command again: quartzlens {run.kind}."
        )
    try:
        return pd.read_parquet(io.BytesIO(run.files[name]), engine="pyarrow")
    except (pa.ArrowException, OSError) as error:
        raise CollectionError(
            f"{name} of run {run.id} is damaged ({error}). Run the command again: quartzlens {run.kind}."
        ) from error

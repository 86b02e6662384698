"""Runs as they are kept: a readable id, settings and results as JSON values, tables as Parquet in memory."""

import io
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa

from quartzlens.errors import CollectionError
from quartzlens.records import Fingerprint, Json, Run


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

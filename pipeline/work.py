"""One call in a worker process, whose every end is a value: what came, or why it did not."""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pipeline.container import Refusal
from pipeline.pool import ClosedError, Pool
from pipeline.worker import WorkerDiedError, WorkerKilledError
from quartzlens.outcomes import Outcome, Stage

TIMEOUT_SECONDS = {Stage.DOWNLOAD: 300.0, Stage.DECODE: 120.0}
_KILLED = {Stage.DOWNLOAD: Outcome.NETWORK, Stage.DECODE: Outcome.UNDECODABLE}
_DIED = {Stage.DOWNLOAD: Outcome.FAILED, Stage.DECODE: Outcome.UNDECODABLE}
Arrived = TypeVar("Arrived")


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a video did not reach the encoder, and at which stage.

    ``final`` where another try now would end alike; ``retry_after_seconds`` is what the site asks to wait.
    """

    outcome: Outcome
    stage: Stage
    detail: str
    final: bool = False
    retry_after_seconds: float | None = None


def work(stage: Stage, pool: Pool, function: Callable[..., Arrived | Refusal], *arguments: Any) -> Arrived | Refused:
    """Call a function in a worker process; a killed or crashed worker, or a full disk, is this video's outcome.

    Raises ClosedError after the pool was closed.
    """
    timeout_seconds = TIMEOUT_SECONDS[stage]
    try:
        arrived = pool.call(function, *arguments, timeout_seconds=timeout_seconds)
    except ClosedError:
        raise
    except WorkerKilledError:
        detail = f"stopped after {timeout_seconds:.0f} s, the limit of one {stage}"
        return Refused(_KILLED[stage], stage, detail, final=True)
    except WorkerDiedError as error:
        # SIGKILL that is not ours comes from a system short of memory: not the video's fault, so it is tried again.
        outcome = Outcome.FAILED if "SIGKILL" in str(error) else _DIED[stage]
        return Refused(outcome, stage, f"the {stage} crashed: {error}")
    except MemoryError:
        return Refused(_DIED[stage], stage, f"over the memory limit of the {stage}")
    except Exception as error:  # noqa: BLE001 -- the outermost edge: one video fails, the run goes on
        full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
        outcome = Outcome.DISK_FULL if full else Outcome.FAILED
        return Refused(outcome, stage, f"{type(error).__name__}: {error}")
    if isinstance(arrived, Refusal):
        return Refused(arrived.outcome, stage, arrived.detail, arrived.final, arrived.retry_after_seconds)
    return arrived

"""``quartzlens encode --serve``: the warm encoder child of the dashboard.

One JSON request a line, one JSON answer a line.
"""

import base64
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from quartzlens.cli.common import CollectionOption, fetch_options, open_existing
from quartzlens.cli.encoders import query_encoder_of
from quartzlens.errors import UsageError

if TYPE_CHECKING:
    from pipeline.encoder import Encoder
    from pipeline.fetch import Fetcher
    from quartzlens.records import Result


def encode(
    collection: CollectionOption = None,
    serve: Annotated[bool, typer.Option("--serve", help="Answer requests on standard input until it ends.")] = False,
) -> None:
    """Embed files and links for the dashboard: requests ``{"path": ...}`` or ``{"link": ...}``, one a line.

    Each answer holds the key of the fingerprint that it is by: the collection may get another one meanwhile.

    Example: echo '{"path": "party.mp4"}' | quartzlens encode --serve -c my-collection
    """
    from pipeline.fetch import Fetcher

    if not serve:
        raise UsageError("encode answers requests from standard input: give --serve.")
    answers = _answers_only()
    with open_existing(collection) as opened, tempfile.TemporaryDirectory(prefix="quartzlens-") as folder:
        encoder = query_encoder_of(opened)
        with Fetcher(encoder.fingerprint, fetch_options(Path(folder))) as fetcher:
            encoder.load()
            _say(answers, {"ready": True})
            for line in sys.stdin:
                _say(answers, {"fingerprint": encoder.fingerprint.key, **_answer(encoder, fetcher, line)})


def _answers_only() -> TextIO:
    """Standard output for answers alone: whatever a library prints goes to standard error from here on."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _say(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _answer(encoder: "Encoder", fetcher: "Fetcher", line: str) -> dict[str, Any]:
    """The answer to one request; a request that is not one is answered too, and never ends the child."""
    from pipeline import runner
    from quartzlens.records import Video

    try:
        request = json.loads(line)
        source = str(Path(request["path"]).absolute()) if "path" in request else str(request["link"])
    except (json.JSONDecodeError, KeyError, TypeError):
        return {"outcome": "failed", "stage": "source", "detail": "a request is one JSON object with a path or a link"}
    video = Video(id="query", source=source)
    arrival = fetcher.fetch(video)
    return {"title": getattr(arrival, "title", ""), **_described(runner.embed(encoder, video, arrival))}


def _described(result: "Result") -> dict[str, Any]:
    answer: dict[str, Any] = {"outcome": result.outcome, "stage": result.stage, "detail": result.detail}
    if result.embedded is None or result.media is None:
        return answer
    embedded = result.embedded
    return {
        **answer,
        "embedding": base64.b64encode(embedded.embedding.astype("<f4").tobytes()).decode(),
        "fragments": base64.b64encode(embedded.fragments.astype("<f4").tobytes()).decode(),
        "n_fragments": len(embedded.fragments),
        "dimension": len(embedded.embedding),
        "bounds": embedded.bounds.tolist(),
        "loudness_dbfs": result.media.loudness_dbfs,
    }

"""What a checkpoint is, in the facts that ``quartzlens checkpoint info`` shows."""

import json
import re
from math import prod
from typing import Any

from pipeline.blocks import block_ends
from pipeline.checkpoint import Checkpoint
from pipeline.encoder import EncoderSettings, fingerprint_of
from pipeline.layout import Block
from pipeline.published import DEMO, published

_DEMO_PAGE = "trained on generated speech by recipes/checkpoint"


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """Facts about a checkpoint, ready for JSON; its weights are read and checked for them.

    Raises CheckpointError like ``Checkpoint.weights``.
    """
    checkpoint.weights()
    return {
        "name": checkpoint.name,
        "path": str(checkpoint.path),
        "format": ".nemo archive" if checkpoint.is_nemo else "DeepLearningExamples .pt (known 15x5 table)",
        "bytes": checkpoint.path.stat().st_size,
        "sha256": checkpoint.sha256,
        "fingerprint": fingerprint_of(checkpoint, EncoderSettings()).key,
        "dimension": checkpoint.dimension,
        "blocks": architecture(checkpoint),
        "encoder_weights": checkpoint.parameters,
        "gflop_per_minute_of_sound": round(checkpoint.clip_gflop, 1),
        "step_seconds": checkpoint.step_seconds,
        "sample_rate_hz": 16000,
        "languages": languages(checkpoint),
        "n_labels": len(checkpoint.labels),
        "labels": checkpoint.labels,
        "page": _page(checkpoint.name),
        "front_end": json.loads(checkpoint.front_end),
    }


def architecture(checkpoint: Checkpoint) -> list[dict[str, Any]]:
    """One row for each block by its name (see ``pipeline.blocks``); ``stride`` is how many steps in make one out."""
    rows: list[dict[str, Any]] = []
    begin = 0
    for name, end in block_ends(checkpoint.config["encoder"]["jasper"]).items():
        blocks = checkpoint.layout.blocks[begin : end + 1]
        begin = end + 1
        rows.append(
            {
                "name": name,
                "blocks": len(blocks),
                "channels": blocks[0].channels,
                "kernel": blocks[0].kernel,
                "repeats": blocks[0].repeat,
                "stride": prod(block.strides for block in blocks),
                "kind": _kind(blocks[-1]),
            }
        )
    return rows


def _kind(block: Block) -> str:
    """What else tells a block apart, in words."""
    words = {
        "separable": block.separable,
        "residual": bool(block.panes),
        "dense": len(block.panes) > 1,
        f"dilation {block.dilation}": block.dilation > 1,
        "squeeze-excite": bool(block.squeezed),
    }
    return ", ".join(word for word, holds in words.items() if holds)


def languages(checkpoint: Checkpoint) -> list[str]:
    """Two-letter codes that the published table, the configuration or the name tells; empty where none does."""
    for one in published():
        if one.name == checkpoint.name:
            return [one.language]
    if checkpoint.name == DEMO or not checkpoint.is_nemo:
        return ["en"]
    tokenizer = checkpoint.config.get("tokenizer")
    told = tokenizer.get("langs") if isinstance(tokenizer, dict) else None
    if isinstance(told, dict):
        return sorted(told)
    by_name = re.match(r"stt_([a-z]{2})_", checkpoint.name)
    return [by_name[1]] if by_name else []


def _page(name: str) -> str:
    """Page with the licence; empty for a file of one's own."""
    pages = {one.name: one.page for one in published()}
    return _DEMO_PAGE if name == DEMO else pages.get(name, "")

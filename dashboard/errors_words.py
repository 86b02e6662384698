"""The words that were heard in a video's fragments."""

import numpy as np

from analysis.evidence_timeline import Timeline
from dashboard import state
from quartzlens.records import Words


def of(video_id: str, found: Timeline) -> list[Words | None]:
    """What was heard in each fragment of a judged video, in their order; None where nobody listened."""
    kept = state.collection().store.fragments(state.fingerprint(), [video_id])
    said = dict(zip(np.round(kept.bounds[:, 0], 2).tolist(), kept.words, strict=True))
    return [said.get(start) for start in np.round(found.fragments["start_seconds"].to_numpy(np.float32), 2).tolist()]

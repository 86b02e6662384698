"""What every backend must agree on about embeddings: checks of what comes in, and the form in which it is kept."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from quartzlens.records import Embedded, Fingerprint, Fragments, Result, Words

_HALF_MAX = np.float16(65504)  # the largest finite one


def kept(video_id: str, embedded: Embedded) -> Embedded:
    """Arrays and words as kept: fragments and their words in the order of time, what is kept as float16 rounded to it.

    Raises
    ------
    ValueError
        Arrays are not finite or misshapen, or words are not one a fragment, each with a probability.
    """
    dimension = embedded.fingerprint.dimension
    count = len(embedded.fragments)
    shapes = (embedded.embedding.shape, embedded.fragments.shape, embedded.bounds.shape)
    if shapes != ((dimension,), (count, dimension), (count, 2)):
        message = f"Video {video_id}: arrays of shapes {shapes} where the encoder has dimension {dimension}."
        raise ValueError(message)
    order = np.argsort(embedded.bounds[:, 0], kind="stable")
    words = _kept_words(video_id, embedded.words, count)
    made = Embedded(
        embedded.fingerprint,
        embedded.embedding.astype(np.float32),
        _halves(embedded.fragments[order]),
        embedded.bounds[order].astype(np.float32),
        _kept_profile(video_id, embedded.profile),
        tuple(words[i] for i in order) if words else (),
    )
    arrays = (made.embedding, made.fragments, made.bounds, *made.profile.values())
    if not all(np.isfinite(array).all() for array in arrays):
        message = f"Video {video_id}: an embedding, fragment, bound or profile is not finite."
        raise ValueError(message)
    return made


def _halves(array: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rounded to float16, given back as float32; finite values beyond its range become its ends, others stay."""
    with np.errstate(over="ignore"):
        halves = array.astype(np.float16)
    kept: NDArray[np.float32] = np.where(np.isfinite(array), np.clip(halves, -_HALF_MAX, _HALF_MAX), halves).astype(
        np.float32
    )
    return kept


def _kept_profile(video_id: str, profile: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    for block, moments in profile.items():
        if not block or moments.ndim != 2 or len(moments) != 2 or not moments.size:
            message = f"Video {video_id}: a profile of shape {moments.shape} for the block {block!r} is not (2, c)."
            raise ValueError(message)
    return {block: _halves(moments) for block, moments in profile.items()}


def _kept_words(video_id: str, words: Sequence[Words], fragments: int) -> list[Words]:
    """Words whose text a database can hold: halves of characters become question marks."""
    if len(words) not in {0, fragments} or not all(0 <= one.probability <= 1 for one in words):
        message = f"Video {video_id}: words of {len(words)} fragments, not {fragments}, or a probability beyond [0, 1]."
        raise ValueError(message)
    return [Words(one.text.encode(errors="replace").decode(), float(one.probability)) for one in words]


def check_channels(results: Iterable[Result], known: Callable[[Fingerprint, str], int | None]) -> None:
    """Raise ValueError where a block's profile has another number of channels than an encoder's other profiles of it.

    ``known`` tells the channels of a block that are kept already, None where none are.
    """
    channels: dict[tuple[str, str], int] = {}
    for result in results:
        if result.embedded is None:
            continue
        for block, moments in result.embedded.profile.items():
            key, have = (result.embedded.fingerprint.key, block), moments.shape[1]
            if key not in channels:
                channels[key] = known(result.embedded.fingerprint, block) or have
            if channels[key] != have:
                message = f"Video {result.video_id}: block {block} has {channels[key]} channels elsewhere, here {have}."
                raise ValueError(message)


def picked(fragments: Fragments, positions: Sequence[int]) -> Fragments:
    """Fragments at these positions, in this order."""
    order = np.asarray(positions, dtype=np.intp)
    return Fragments(
        tuple(fragments.ids[i] for i in positions),
        fragments.bounds[order],
        fragments.matrix[order],
        tuple(fragments.words[i] for i in positions),
    )

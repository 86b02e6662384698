"""What every backend must agree on about embeddings: checks of what comes in, and the form in which it is kept."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from quartzlens.records import Embedded, Fingerprint, Fragments, Result, Words

SINGLE = np.dtype("<f4")  # the forms in which arrays are kept, the same on every machine
HALF = np.dtype("<f2")
_HALF_MAX = 65504.0  # the largest finite float16


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
    if not all(map(_finite, (made.embedding, made.fragments, made.bounds, *made.profile.values()))):
        message = f"Video {video_id}: an embedding, fragment, bound or profile is not finite."
        raise ValueError(message)
    return made


def _finite(array: NDArray[np.float32]) -> bool:
    # The ends of an array with a NaN are NaN, and finding them takes no array of its own.
    return math.isfinite(array.min(initial=0.0)) and math.isfinite(array.max(initial=0.0))


def _halves(array: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rounded to float16, given back as float32; finite values beyond its range become its ends, others stay."""
    if not (array.min(initial=0.0) >= -_HALF_MAX and array.max(initial=0.0) <= _HALF_MAX):  # so also where one is NaN
        array = np.where(np.isfinite(array), np.clip(array, -_HALF_MAX, _HALF_MAX), array)
    return array.astype(np.float16).astype(np.float32)


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


def by_key(results: Iterable[Result]) -> Iterator[tuple[str, Result, Embedded]]:
    """The results with embeddings, in their order, with their fingerprint's key."""
    keys: dict[int, str] = {}  # by object: a batch shares one as a rule, and a key is a digest of JSON
    for result in results:
        if result.embedded is not None:
            fingerprint = result.embedded.fingerprint
            if id(fingerprint) not in keys:
                keys[id(fingerprint)] = fingerprint.key
            yield keys[id(fingerprint)], result, result.embedded


def check_channels(results: Iterable[Result], known: Callable[[Fingerprint, str], int | None]) -> None:
    """Raise ValueError where a block's profile has another number of channels than an encoder's other profiles of it.

    ``known`` tells the channels of a block that are kept already, None where none are.
    """
    channels: dict[tuple[str, str], int] = {}
    for key, result, embedded in by_key(results):
        for block, moments in embedded.profile.items():
            have = moments.shape[1]
            if (key, block) not in channels:
                channels[key, block] = known(embedded.fingerprint, block) or have
            if channels[key, block] != have:
                there = channels[key, block]
                message = f"Video {result.video_id}: block {block} has {there} channels elsewhere, here {have}."
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


def at_places(among: Fragments, places: Sequence[tuple[str, int]]) -> Fragments:
    """Fragments by their video and their number in it, in this order; ``among`` holds all of these videos."""
    first = {video_id: at for at, video_id in reversed(list(enumerate(among.ids)))}
    return picked(among, [first[video_id] + number for video_id, number in places])

"""Results that are near what was asked for and not all alike."""

import numpy as np
from numpy.typing import NDArray


def diversified(
    similarities: NDArray[np.float32], vectors: NDArray[np.float32], k: int, share_of_nearness: float = 0.5
) -> NDArray[np.int64]:
    """Choose k of n results one after the other, each near the query and unlike those chosen before it.

    Maximal marginal relevance: the next is the one of the largest ``share * s - (1 - share) * max(c)``, where s is its
    similarity to the query and c its cosine to each that was chosen (Carbonell and Goldstein, The use of MMR,
    diversity-based reranking, SIGIR 1998). Both are measured from the centre of the results and scaled to [0, 1]:
    averaged outputs of a ReLU crowd near cosine 1, where neither would count beside the other.

    Parameters
    ----------
    similarities
        (n,) float32, of each result to the query.
    vectors
        (n, d) float32, in the same order; of any length.
    k
        How many are chosen, all where there are fewer.
    share_of_nearness
        In [0, 1]: 1 keeps the order of similarity, 0 asks for variety alone after the nearest one.

    Returns
    -------
    NDArray[np.int64]
        Positions (min(k, n),) in the order of choice; the most similar result is the first.

    >>> vectors = np.array([[1, 0], [1, 0.01], [0, 1]], dtype=np.float32)
    >>> diversified(np.array([0.9, 0.89, 0.7], dtype=np.float32), vectors, 2).tolist()
    [0, 2]
    """
    n = len(similarities)
    if not n:
        return np.empty(0, dtype=np.int64)
    nearness, alike = _scaled(similarities.astype(np.float64)), _likeness(vectors.astype(np.float64))
    chosen = [int(np.argmax(nearness))]
    nearest_chosen = alike[chosen[0]].copy()
    while len(chosen) < min(k, n):
        value = share_of_nearness * nearness - (1 - share_of_nearness) * nearest_chosen
        value[chosen] = -np.inf
        chosen.append(int(np.argmax(value)))
        nearest_chosen = np.maximum(nearest_chosen, alike[chosen[-1]])
    return np.array(chosen[:k], dtype=np.int64)


def _likeness(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosines (n, n) about the centre of the vectors, from opposite (0) to the same direction (1)."""
    centred = vectors - vectors.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    directions = centred / np.where(lengths > 0, lengths, 1.0)
    likeness: NDArray[np.float64] = (directions @ directions.T + 1) / 2
    return likeness


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values from 0 for the least to 1 for the most; all 1 where they are equal."""
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if high > low else np.ones_like(values)

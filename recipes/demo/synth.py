"""Building blocks of the sound scenes: shaped noise, slow random curves, struck objects, far voices, rooms.

Every function draws all its chance from the generator that it is given, so the same generator gives the same sound.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, iirpeak, lfilter, sosfilt

SAMPLE_RATE_HZ = 16_000
Sound = NDArray[np.float64]

_VOWELS_HZ = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))


def steps(seconds: float) -> int:
    """Give the number of values at 16 kHz in so many seconds, at least 1."""
    return max(1, round(seconds * SAMPLE_RATE_HZ))


def happens(rng: np.random.Generator, probability: float) -> bool:
    """Draw whether something happens."""
    return bool(rng.uniform() < probability)


def to_peak(sound: Sound) -> Sound:
    """Scale a sound to a peak of 1."""
    return np.asarray(sound / (np.abs(sound).max() + 1e-9), dtype=np.float64)


def band_noise(rng: np.random.Generator, n: int, low_hz: float, high_hz: float, order: int = 2) -> Sound:
    """Draw (n,) float64 noise between two frequencies (Butterworth), with unit standard deviation."""
    sos = butter(order, (low_hz, min(high_hz, 7_900.0)), btype="bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    noise = np.asarray(sosfilt(sos, rng.standard_normal(n + 800)))[800:]
    return np.asarray(noise / (noise.std() + 1e-9), dtype=np.float64)


def low_pass(sound: Sound, cutoff_hz: float, order: int = 2) -> Sound:
    """Take away what lies above a frequency; the shape stays."""
    sos = butter(order, cutoff_hz, btype="lowpass", fs=SAMPLE_RATE_HZ, output="sos")
    return np.asarray(sosfilt(sos, sound), dtype=np.float64)


def slow_curve(rng: np.random.Generator, n: int, changes_hz: float, low: float, high: float) -> Sound:
    """Draw a smooth (n,) float64 curve that wanders between two values, with so many turning points a second."""
    points = max(2, int(n / SAMPLE_RATE_HZ * changes_hz) + 3)
    position = np.linspace(0.0, points - 1.0, n)
    left = np.minimum(position.astype(int), points - 2)
    share = 0.5 - 0.5 * np.cos(np.pi * (position - left))
    values = rng.uniform(low, high, points)
    return np.asarray(values[left] * (1.0 - share) + values[left + 1] * share)


def add_at(sound: Sound, event: Sound, start: int) -> None:
    """Mix an event into a sound in place, from an index on; what falls behind the end is cut."""
    stop = min(len(sound), start + len(event))
    if stop > start:
        sound[start:stop] += event[: stop - start]


def event_starts(rng: np.random.Generator, n: int, per_second: float) -> list[int]:
    """Draw where events begin that come at random moments (Poisson) with a mean rate."""
    count = int(rng.poisson(per_second * n / SAMPLE_RATE_HZ))
    return sorted(int(start) for start in rng.integers(0, n, count))


def decaying(seconds: float, decay_seconds: float) -> Sound:
    """Give an envelope that falls to 1/e in `decay_seconds` after an attack of 2 ms."""
    moments = np.arange(steps(seconds)) / SAMPLE_RATE_HZ
    return np.asarray(np.minimum(1.0, moments / 0.002) * np.exp(-moments / decay_seconds))


def struck(rng: np.random.Generator, base_hz: float, decay_seconds: float, partials: int = 6) -> Sound:
    """Draw the sound of a struck hard object (glass, metal, stone): inharmonic partials that die away."""
    moments = np.arange(steps(min(3.0, decay_seconds * 5.0))) / SAMPLE_RATE_HZ
    out = np.zeros(len(moments))
    for partial in range(partials):
        pitch_hz = min(7_500.0, base_hz * (1.0 + partial * rng.uniform(0.45, 1.1)))
        fade = np.exp(-moments / (decay_seconds * rng.uniform(0.3, 1.0)))
        out += rng.uniform(0.2, 1.0) * fade * np.sin(2.0 * np.pi * pitch_hz * moments + rng.uniform(0.0, 6.28))
    return to_peak(out)


def burst(rng: np.random.Generator, seconds: float, low_hz: float, high_hz: float, decay_seconds: float) -> Sound:
    """Draw a short noise that dies away: a thump, a cut, a step, a splash."""
    noise = band_noise(rng, steps(seconds), low_hz, high_hz) * decaying(seconds, decay_seconds)
    return to_peak(noise)


def far_voice(rng: np.random.Generator, n: int) -> Sound:
    """Draw (n,) of one far, unintelligible voice: a buzz through changing vowels in syllables and phrases."""
    pitch_hz = rng.uniform(85, 240) * slow_curve(rng, n, 3.0, 0.85, 1.2)
    phase = np.cumsum(pitch_hz) / SAMPLE_RATE_HZ
    buzz = low_pass(2.0 * (phase % 1.0) - 1.0, 900.0, order=1) + 0.05 * rng.standard_normal(n)
    scale = rng.uniform(0.9, 1.2)
    out = np.zeros(n)
    for vowel in rng.permutation(len(_VOWELS_HZ))[:3]:
        part = np.zeros(n)
        for weight, formant_hz in zip((1.0, 0.6, 0.3), _VOWELS_HZ[vowel], strict=True):
            numerator, denominator = iirpeak(formant_hz * scale, 7.0, fs=SAMPLE_RATE_HZ)
            part += weight * np.asarray(lfilter(numerator, denominator, buzz))
        out += part * np.maximum(0.0, slow_curve(rng, n, 5.0, -1.0, 1.0))
    out *= np.clip(slow_curve(rng, n, 0.7, -0.6, 1.4), 0.0, 1.0)
    return np.asarray(out / (out.std() + 1e-6), dtype=np.float64)


def babble(rng: np.random.Generator, n: int, voices: int) -> Sound:
    """Draw (n,) of several far voices at once, each at its own distance; unit standard deviation."""
    out = np.zeros(n)
    for _ in range(voices):
        out += rng.uniform(0.3, 1.0) * far_voice(rng, n)
    return np.asarray(out / (out.std() + 1e-6), dtype=np.float64)


def reverberate(rng: np.random.Generator, sound: Sound, room_seconds: float, wet: float) -> Sound:
    """Put a sound into a room: convolution with decaying noise (60 dB down after `room_seconds`)."""
    length = steps(room_seconds)
    fall = np.exp(-6.9 * np.arange(length) / length)
    answer = low_pass(rng.standard_normal(length), rng.uniform(2_000, 5_500)) * fall
    answer /= np.sqrt(np.sum(answer**2)) + 1e-9
    return (1.0 - wet) * sound + wet * np.asarray(fftconvolve(sound, answer)[: len(sound)])


def finish(sound: Sound) -> NDArray[np.float32]:
    """Take away the constant part and set the peak to 0.5: (n,) float32."""
    centred = sound - sound.mean()
    return np.asarray(0.5 * centred / (np.abs(centred).max() + 1e-9), dtype=np.float32)

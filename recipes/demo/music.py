"""Generated music: five kinds of instruments, scales and chords, all drawn from a random generator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.signal import lfilter

from recipes.demo.synth import SAMPLE_RATE_HZ, Sound, add_at, band_noise, happens, low_pass, slow_curve, steps, to_peak

HIGHEST_HZ = 7_500
"""No partial is drawn above this: half the sampling rate is 8 kHz."""

SCALES = (
    (0, 2, 4, 5, 7, 9, 11),
    (0, 2, 3, 5, 7, 8, 10),
    (0, 2, 4, 7, 9),
    (0, 2, 3, 5, 7, 9, 10),
    (0, 1, 4, 5, 7, 8, 11),
    (0, 2, 4, 6, 8, 10),
)


def _moments(seconds: float) -> Sound:
    return np.arange(steps(seconds)) / SAMPLE_RATE_HZ


def _swell(seconds: float, attack_seconds: float, release_seconds: float) -> Sound:
    moments = _moments(seconds)
    rise = np.minimum(1.0, moments / attack_seconds)
    fall = np.minimum(1.0, (moments[-1] - moments) / release_seconds)
    return np.asarray(rise * fall)


def plucked(rng: np.random.Generator, pitch_hz: float, seconds: float) -> Sound:
    """Draw a plucked string (Karplus and Strong 1983): noise that circles in a damped loop."""
    n = steps(seconds)
    period = max(4, round(SAMPLE_RATE_HZ / pitch_hz))
    excitation = np.zeros(n)
    head = min(n, period)
    excitation[:head] = low_pass(rng.uniform(-1.0, 1.0, period), rng.uniform(1_500, 6_000))[:head]
    loop = np.zeros(period + 2)
    damping = rng.uniform(0.985, 0.998)
    loop[0], loop[period], loop[period + 1] = 1.0, -0.5 * damping, -0.5 * damping
    string = np.asarray(lfilter([1.0], loop, excitation))
    return to_peak(string)


def organ(rng: np.random.Generator, pitch_hz: float, seconds: float) -> Sound:
    """Draw a held organ-like note: harmonics of fixed strengths with a slight tremolo."""
    moments = _moments(seconds)
    out = np.zeros(len(moments))
    for harmonic in (0.5, 1, 2, 3, 4, 6, 8):
        if harmonic * pitch_hz < HIGHEST_HZ:
            out += rng.uniform(0.1, 1.0) / (1 + 0.3 * harmonic) * np.sin(2 * np.pi * harmonic * pitch_hz * moments)
    out *= 1.0 + 0.08 * np.sin(2 * np.pi * rng.uniform(4, 7) * moments)
    out *= _swell(seconds, 0.03, 0.06)
    return to_peak(out)


def flute(rng: np.random.Generator, pitch_hz: float, seconds: float) -> Sound:
    """Draw a flute-like note: few harmonics, vibrato that sets in late, and breath."""
    moments = _moments(seconds)
    depth = 0.006 * np.minimum(1.0, moments / 0.5)
    phase = 2 * np.pi * np.cumsum(pitch_hz * (1 + depth * np.sin(2 * np.pi * 5.2 * moments))) / SAMPLE_RATE_HZ
    tone = np.sin(phase) + rng.uniform(0.1, 0.4) * np.sin(2 * phase) + rng.uniform(0.0, 0.15) * np.sin(3 * phase)
    breath = rng.uniform(0.02, 0.08) * band_noise(rng, len(moments), 1_500, 6_000)
    out = (tone + breath) * _swell(seconds, 0.07, 0.08)
    return to_peak(out)


def bell(rng: np.random.Generator, pitch_hz: float, seconds: float) -> Sound:
    """Draw a bell or music-box note: the partials of a bar, each with its own decay."""
    moments = _moments(seconds)
    out = np.zeros(len(moments))
    for ratio in (1.0, 2.76, 5.4, 8.9):
        if ratio * pitch_hz < HIGHEST_HZ:
            fade = np.exp(-moments * rng.uniform(1.5, 4.0) * np.sqrt(ratio))
            out += fade / ratio * np.sin(2 * np.pi * ratio * pitch_hz * moments)
    return to_peak(out)


def bowed(rng: np.random.Generator, pitch_hz: float, seconds: float) -> Sound:
    """Draw a bowed, string-section-like note: several detuned saw waves with a slow attack."""
    n = steps(seconds)
    out = np.zeros(n)
    for _ in range(3):
        bend = 1.0 + rng.uniform(-0.004, 0.004) + 0.003 * slow_curve(rng, n, 5.0, -1.0, 1.0)
        out += 2.0 * ((np.cumsum(pitch_hz * bend) / SAMPLE_RATE_HZ + rng.uniform()) % 1.0) - 1.0
    out = low_pass(out, rng.uniform(1_200, 3_500)) * _swell(seconds, 0.12, 0.15)
    return to_peak(out)


INSTRUMENTS: tuple[Callable[[np.random.Generator, float, float], Sound], ...] = (plucked, organ, flute, bell, bowed)


def _degree_hz(root_hz: float, scale: tuple[int, ...], degree: int) -> float:
    octave, step = divmod(degree, len(scale))
    return float(root_hz * 2.0 ** (octave + scale[step] / 12.0))


def tune(rng: np.random.Generator, n: int) -> Sound:
    """Draw (n,) float64 of music: a melody that walks over a scale, above chords, in one tempo and key."""
    scale = SCALES[rng.integers(len(SCALES))]
    root_hz, beat = float(rng.uniform(110, 240)), float(rng.uniform(0.28, 0.75))
    lead, backing = (INSTRUMENTS[int(which)] for which in rng.integers(len(INSTRUMENTS), size=2))
    out = np.zeros(n)
    _melody(rng, out, lambda degree: _degree_hz(root_hz * 2.0, scale, degree), lead, beat)
    if happens(rng, 0.8):
        _chords(rng, out, lambda degree: _degree_hz(root_hz, scale, degree), backing, beat * 4)
    return out


def _melody(
    rng: np.random.Generator,
    out: Sound,
    pitch: Callable[[int], float],
    instrument: Callable[[np.random.Generator, float, float], Sound],
    beat: float,
) -> None:
    start, degree = 0, int(rng.integers(0, 8))
    while start < len(out):
        length = beat * float(rng.choice([0.5, 1.0, 1.0, 2.0]))
        if happens(rng, 0.88):
            add_at(out, rng.uniform(0.5, 1.0) * instrument(rng, pitch(degree), length * 1.15), start)
        start += steps(length)
        degree = int(np.clip(degree + rng.integers(-3, 4), -2, 11))


def _chords(
    rng: np.random.Generator,
    out: Sound,
    pitch: Callable[[int], float],
    instrument: Callable[[np.random.Generator, float, float], Sound],
    bar: float,
) -> None:
    strength = rng.uniform(0.15, 0.4)
    for start in range(0, len(out), steps(bar)):
        base = int(rng.choice([0, 3, 4, 5]))
        for third in (0, 2, 4):
            add_at(out, strength * instrument(rng, pitch(base + third), bar * 1.05), start)

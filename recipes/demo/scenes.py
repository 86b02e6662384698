"""Generated sound scenes of 16 kHz: the ambience of the demo collection, and what a checkpoint can learn to tell apart.

`SCENES` maps a name to a function of a random generator and a length in seconds. Each call draws its own parameters
(what sounds, how often, how bright, how far), so that no two scenes of one name are alike.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recipes.demo.music import tune
from recipes.demo.synth import (
    SAMPLE_RATE_HZ,
    Sound,
    add_at,
    babble,
    band_noise,
    burst,
    decaying,
    event_starts,
    far_voice,
    finish,
    happens,
    low_pass,
    reverberate,
    slow_curve,
    steps,
    struck,
    to_peak,
)

Scene = Callable[[np.random.Generator, float], NDArray[np.float32]]


def kitchen(rng: np.random.Generator, seconds: float) -> NDArray[np.float32]:
    """Draw a kitchen: sizzling or boiling, chopping, clinks of glass and metal, an extractor fan."""
    n = steps(seconds)
    out = 0.04 * rng.uniform(0.2, 1.0) * band_noise(rng, n, 90, 500)
    if happens(rng, 0.7):
        out += 0.12 * slow_curve(rng, n, 0.6, 0.1, 1.0) * band_noise(rng, n, rng.uniform(1_800, 3_000), 7_800)
        for start in event_starts(rng, n, rng.uniform(8, 30)):
            add_at(out, rng.uniform(0.05, 0.35) * burst(rng, 0.02, 2_500, 7_500, 0.004), start)
    if happens(rng, 0.5):
        out += _boiling(rng, n)
    if happens(rng, 0.65):
        _chopping(rng, out)
    for start in event_starts(rng, n, rng.uniform(0.2, 1.0)):
        add_at(out, rng.uniform(0.15, 0.6) * struck(rng, rng.uniform(1_100, 3_800), rng.uniform(0.04, 0.3)), start)
    return finish(reverberate(rng, out, 0.35, 0.2))


def _boiling(rng: np.random.Generator, n: int) -> Sound:
    out = 0.05 * band_noise(rng, n, 200, 900)
    for start in event_starts(rng, n, rng.uniform(10, 25)):
        length = rng.uniform(0.02, 0.06)
        moments = np.arange(steps(length)) / SAMPLE_RATE_HZ
        sweep = rng.uniform(250, 800) * (1.0 + 6.0 * moments)
        bubble = np.sin(2 * np.pi * np.cumsum(sweep) / SAMPLE_RATE_HZ) * decaying(length, 0.012)
        add_at(out, rng.uniform(0.05, 0.3) * bubble, start)
    return out


def _chopping(rng: np.random.Generator, out: Sound) -> None:
    start, gap = int(rng.integers(0, SAMPLE_RATE_HZ)), rng.uniform(0.14, 0.35)
    while start < len(out):
        for _ in range(int(rng.integers(4, 14))):
            add_at(out, rng.uniform(0.3, 0.6) * burst(rng, 0.08, 250, 2_600, 0.018), start)
            start += steps(gap * rng.uniform(0.85, 1.15))
        start += steps(rng.uniform(0.8, 4.0))


def market(rng: np.random.Generator, seconds: float) -> NDArray[np.float32]:
    """Draw a market: many voices near and far, calls of a seller, clatter of crates, sometimes a frying stall."""
    n = steps(seconds)
    out = 0.25 * babble(rng, n, int(rng.integers(5, 9))) + 0.04 * band_noise(rng, n, 150, 2_000)
    for start in event_starts(rng, n, rng.uniform(0.08, 0.3)):
        add_at(out, rng.uniform(0.3, 0.7) * far_voice(rng, steps(rng.uniform(0.5, 1.3))), start)
    for start in event_starts(rng, n, rng.uniform(0.2, 0.7)):
        add_at(out, rng.uniform(0.3, 1.0) * burst(rng, 0.2, 200, 3_000, 0.04), start)
    if happens(rng, 0.35):
        out += 0.15 * slow_curve(rng, n, 0.5, 0.2, 1.0) * band_noise(rng, n, 2_500, 7_500)
    return finish(reverberate(rng, out, 0.4, 0.25))


def street(rng: np.random.Generator, seconds: float) -> NDArray[np.float32]:
    """Draw a street: rumble of traffic, passing cars and scooters, horns, now and then voices."""
    n = steps(seconds)
    out = rng.uniform(0.1, 0.3) * slow_curve(rng, n, 0.4, 0.5, 1.0) * band_noise(rng, n, 40, rng.uniform(250, 700))
    out += 0.03 * band_noise(rng, n, 500, 4_000)
    for start in event_starts(rng, n + SAMPLE_RATE_HZ, rng.uniform(0.12, 0.4)):
        add_at(out, rng.uniform(0.1, 0.5) * _passing(rng), max(0, start - SAMPLE_RATE_HZ))
    for start in event_starts(rng, n, rng.uniform(0.02, 0.22)):
        add_at(out, rng.uniform(0.15, 0.5) * _horn(rng), start)
    if happens(rng, 0.4):
        out += rng.uniform(0.03, 0.1) * babble(rng, n, 3)
    return finish(out)


def _passing(rng: np.random.Generator) -> Sound:
    n = steps(rng.uniform(2.0, 5.0))
    hump = np.exp(-0.5 * ((np.arange(n) / n - 0.5) / 0.15) ** 2)
    tyres = band_noise(rng, n, 150, 1_100) * hump + 0.5 * band_noise(rng, n, 900, 5_000) * hump**3
    engine_hz = rng.uniform(50, 160) * (1.06 - 0.12 / (1.0 + np.exp(-12.0 * (np.arange(n) / n - 0.5))))
    engine = low_pass(2.0 * ((np.cumsum(engine_hz) / SAMPLE_RATE_HZ) % 1.0) - 1.0, 600.0)
    out = tyres + rng.uniform(0.2, 1.2) * engine * hump
    return to_peak(out)


def _horn(rng: np.random.Generator) -> Sound:
    moments = np.arange(steps(rng.uniform(0.15, 0.8))) / SAMPLE_RATE_HZ
    low_hz = rng.uniform(330, 520)
    tones = [np.sign(np.sin(2 * np.pi * pitch * moments)) for pitch in (low_hz, low_hz * rng.uniform(1.18, 1.27))]
    edge = np.minimum(1.0, np.minimum(moments, moments[-1] - moments) / 0.02)
    return low_pass((tones[0] + tones[1]) * edge, 2_800.0)


def train(rng: np.random.Generator, seconds: float) -> NDArray[np.float32]:
    """Draw a ride on a train: rolling noise, the beat of rail joints, a hum of the motor, sometimes a whistle."""
    n = steps(seconds)
    out = 0.3 * slow_curve(rng, n, 0.5, 0.6, 1.0) * band_noise(rng, n, 50, rng.uniform(400, 900))
    out += rng.uniform(0.02, 0.08) * band_noise(rng, n, 1_000, 5_000)
    period, pair, start = rng.uniform(0.6, 1.3), rng.uniform(0.12, 0.2), 0
    while start < n:
        for offset in (0.0, pair):
            add_at(out, rng.uniform(0.5, 1.0) * burst(rng, 0.15, 80, 900, 0.035), start + steps(offset))
        start += steps(period * rng.uniform(0.97, 1.03))
    hum_hz = rng.uniform(90, 300) * slow_curve(rng, n, 0.2, 0.9, 1.1)
    out += rng.uniform(0.0, 0.12) * np.sin(2 * np.pi * np.cumsum(hum_hz) / SAMPLE_RATE_HZ)
    if happens(rng, 0.3):
        add_at(out, 0.5 * _horn(rng), int(rng.integers(0, n)))
    return finish(out)


def waves(rng: np.random.Generator, seconds: float) -> NDArray[np.float32]:
    """Draw a beach: waves that swell, break and run out, a steady sea behind, gulls."""
    n = steps(seconds)
    out = 0.08 * band_noise(rng, n, 100, 900)
    start = -steps(rng.uniform(0.0, 4.0))
    while start < n:
        length = steps(rng.uniform(4.0, 9.0))
        place = np.arange(length) / length
        crest = rng.uniform(0.25, 0.45)
        shape = np.where(place < crest, (place / crest) ** 2, np.exp(-4.0 * (place - crest)))
        wave = shape * (band_noise(rng, length, 120, 1_200) + 0.8 * shape * band_noise(rng, length, 1_000, 6_500))
        add_at(out, (rng.uniform(0.15, 0.4) * wave)[max(0, -start) :], max(0, start))
        start += int(length * rng.uniform(0.5, 0.8))
    if happens(rng, 0.5):
        _calls(rng, out, per_second=0.15, pitch_hz=(900, 1_900), seconds=0.4)
    return finish(out)


def _calls(
    rng: np.random.Generator, out: Sound, *, per_second: float, pitch_hz: tuple[float, float], seconds: float
) -> None:
    """Mix the calls of birds into a sound in place: short gliding whistles in groups."""
    for start in event_starts(rng, len(out), per_second):
        middle_hz, turn = rng.uniform(*pitch_hz), rng.uniform(-0.35, 0.35)
        place = start
        for _ in range(int(rng.integers(1, 6))):
            length = seconds * rng.uniform(0.5, 1.2)
            glide = middle_hz * (1.0 + turn * np.sin(np.linspace(0.0, rng.uniform(2.0, 9.0), steps(length))))
            call = np.sin(2 * np.pi * np.cumsum(glide) / SAMPLE_RATE_HZ) * np.hanning(steps(length))
            add_at(out, rng.uniform(0.04, 0.2) * call, place)
            place += steps(length * rng.uniform(1.1, 1.8))


def birds(rng: np.random.Generator, seconds: float) -> NDArray[np.float32]:
    """Draw open country: gusts of wind through leaves, and several kinds of small birds."""
    n = steps(seconds)
    out = 0.2 * slow_curve(rng, n, 0.5, 0.05, 1.0) * band_noise(rng, n, 60, rng.uniform(250, 700))
    out += 0.04 * slow_curve(rng, n, 0.8, 0.1, 1.0) * band_noise(rng, n, 1_500, 6_000)
    for _ in range(int(rng.integers(1, 4))):
        low_hz = rng.uniform(1_800, 4_500)
        _calls(rng, out, per_second=0.35, pitch_hz=(low_hz, low_hz * 1.4), seconds=rng.uniform(0.06, 0.25))
    return finish(out)


def rain(rng: np.random.Generator, seconds: float) -> NDArray[np.float32]:
    """Draw rain on a roof or leaves: a broad hiss, single drops, thunder now and then."""
    n = steps(seconds)
    out = 0.12 * slow_curve(rng, n, 0.3, 0.6, 1.0) * band_noise(rng, n, rng.uniform(300, 1_200), 7_500)
    for start in event_starts(rng, n, rng.uniform(10, 40)):
        add_at(out, rng.uniform(0.05, 0.4) * burst(rng, 0.03, rng.uniform(700, 2_000), 6_500, 0.006), start)
    if happens(rng, 0.25):
        n_thunder = steps(rng.uniform(3.0, 6.0))
        thunder = band_noise(rng, n_thunder, 30, 160) * slow_curve(rng, n_thunder, 2.0, 0.1, 1.0)
        add_at(out, 0.35 * thunder * np.hanning(n_thunder), int(rng.integers(0, n)))
    return finish(out)


def hall(rng: np.random.Generator, seconds: float) -> NDArray[np.float32]:
    """Draw a large stone hall: a reverberant murmur of visitors, footsteps, a door far away."""
    n = steps(seconds)
    out = rng.uniform(0.05, 0.2) * babble(rng, n, int(rng.integers(3, 6)))
    _footsteps(rng, out, walkers=int(rng.integers(1, 4)))
    for start in event_starts(rng, n, 0.05):
        add_at(out, 0.8 * burst(rng, 0.4, 60, 500, 0.09), start)
    out = reverberate(rng, out, rng.uniform(1.4, 3.0), rng.uniform(0.55, 0.85))
    return finish(out + 0.01 * band_noise(rng, n, 60, 1_500))


def _footsteps(rng: np.random.Generator, out: Sound, walkers: int) -> None:
    for _ in range(walkers):
        gap, strength, heel_hz = rng.uniform(0.45, 0.75), rng.uniform(0.2, 0.7), rng.uniform(700, 2_500)
        start = int(rng.integers(0, max(1, len(out) // 2)))
        for _ in range(int(rng.integers(8, 40))):
            add_at(out, strength * rng.uniform(0.7, 1.0) * burst(rng, 0.09, 120, heel_hz, 0.02), start)
            start += steps(gap * rng.uniform(0.93, 1.07))


def museum(rng: np.random.Generator, seconds: float) -> NDArray[np.float32]:
    """Draw the tone of a quiet room: ventilation, mains hum, a ticking clock, a creak, a lone visitor."""
    n = steps(seconds)
    out = 0.2 * band_noise(rng, n, rng.uniform(50, 120), rng.uniform(300, 1_500))
    hum_hz = float(rng.choice([50.0, 60.0]))
    moments = np.arange(n) / SAMPLE_RATE_HZ
    for harmonic in (2, 4, 6):
        out += rng.uniform(0.0, 0.15) * np.sin(2 * np.pi * hum_hz * harmonic * moments)
    if happens(rng, 0.5):
        tick = burst(rng, 0.03, 1_500, 5_000, 0.004)
        for beat in range(int(seconds) + 1):
            add_at(out, 0.25 * tick, steps(beat + 0.01))
    if happens(rng, 0.6):
        _footsteps(rng, out, walkers=1)
    out = reverberate(rng, out, rng.uniform(0.6, 1.2), 0.4)
    return finish(out)


def campfire(rng: np.random.Generator, seconds: float) -> NDArray[np.float32]:
    """Draw an open fire: a soft roar, crackles and pops, crickets in the dark around it."""
    n = steps(seconds)
    out = 0.12 * slow_curve(rng, n, 1.5, 0.4, 1.0) * band_noise(rng, n, 80, 700)
    for start in event_starts(rng, n, rng.uniform(5, 18)):
        add_at(out, rng.uniform(0.05, 0.7) ** 2 * burst(rng, 0.03, 900, 7_000, rng.uniform(0.002, 0.008)), start)
    if happens(rng, 0.5):
        moments = np.arange(n) / SAMPLE_RATE_HZ
        chirp = np.maximum(0.0, np.sin(2 * np.pi * rng.uniform(14, 30) * moments)) * slow_curve(rng, n, 2.0, -1.0, 1.0)
        out += 0.05 * np.maximum(0.0, chirp) * np.sin(2 * np.pi * rng.uniform(3_500, 5_200) * moments)
    return finish(out)


def melodies(rng: np.random.Generator, seconds: float) -> NDArray[np.float32]:
    """Draw music in a room: a melody and chords on plucked, organ-like, flute-like, bell-like or bowed instruments."""
    out = tune(rng, steps(seconds))
    return finish(reverberate(rng, out, rng.uniform(0.4, 2.0), rng.uniform(0.15, 0.5)))


SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (kitchen, market, street, train, waves, birds, rain, hall, museum, campfire, melodies)
}

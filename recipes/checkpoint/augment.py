"""What is done to a clean clip before the network hears it: noise, hum, tones, reverberation, gain, band limiting.

All functions take and give (n,) float32 at 16 kHz, and draw from the given generator alone.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, fftconvolve, sosfilt

from recipes.checkpoint.model import SAMPLE_RATE_HZ

Wave = np.ndarray
_SEMITONE = 2.0 ** (1.0 / 12.0)


def coloured_noise(rng: np.random.Generator, n: int) -> Wave:
    """Make noise whose power falls with frequency by a random exponent from 0 (white) to 2 (brown), slowly swelling."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    frequency = np.maximum(np.arange(spectrum.size), 8.0)
    noise = np.fft.irfft(spectrum * frequency ** (-rng.uniform(0.0, 2.0) / 2.0), n)
    swell = 1.0 + rng.uniform(0.0, 0.8) * np.sin(2 * np.pi * (rng.uniform(0.1, 2.0) * _seconds(n) + rng.random()))
    return (noise * swell).astype(np.float32)


def hum(rng: np.random.Generator, n: int) -> Wave:
    """Make mains hum or an engine: harmonics of a low tone with falling strengths."""
    base_hz = rng.choice([50.0, 60.0, rng.uniform(40.0, 180.0)])
    orders = np.arange(1, rng.integers(3, 12))
    strengths = rng.random(orders.size) / orders
    phases = 2 * np.pi * (np.outer(orders, base_hz * _seconds(n)) + rng.random((orders.size, 1)))
    return (strengths @ np.sin(phases)).astype(np.float32)


def tones(rng: np.random.Generator, n: int) -> Wave:
    """Make music-like tones: plucked or held notes of one scale, one to three at a time, with a few harmonics."""
    out = np.zeros(n, dtype=np.float32)
    scale = np.array([0, 2, 4, 5, 7, 9, 11] if rng.random() < 0.5 else [0, 2, 3, 5, 7, 8, 10])
    root_hz = 110.0 * _SEMITONE ** rng.integers(0, 24)
    note = int(SAMPLE_RATE_HZ * rng.uniform(0.12, 0.7))
    decay = rng.uniform(0.0, 6.0)
    for start in range(0, n, note):
        length = min(note, n - start)
        seconds = _seconds(length)
        for _ in range(int(rng.integers(1, 4))):
            pitch_hz = root_hz * _SEMITONE ** (scale[rng.integers(7)] + 12 * rng.integers(0, 2))
            phase = 2 * np.pi * pitch_hz * seconds
            voice = np.sin(phase) + rng.random() * np.sin(2 * phase) / 2 + rng.random() * np.sin(3 * phase) / 3
            out[start : start + length] += (voice * np.exp(-decay * seconds)).astype(np.float32)
    return out


def reverberate(rng: np.random.Generator, wave: Wave) -> Wave:
    """Put the sound into a room: convolve with decaying noise after the direct sound, of 0.1 to 0.8 s."""
    seconds = rng.uniform(0.1, 0.8)
    tail = rng.standard_normal(int(seconds * SAMPLE_RATE_HZ)).astype(np.float32)
    tail *= np.exp(-6.9 * np.linspace(0.0, 1.0, tail.size, dtype=np.float32))
    tail *= np.float32(rng.uniform(0.1, 0.9)) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return np.asarray(fftconvolve(wave, tail)[: wave.size], dtype=np.float32)


def limit_band(rng: np.random.Generator, wave: Wave) -> Wave:
    """Cut low and high frequencies as a telephone or a cheap microphone does."""
    low_hz, high_hz = rng.uniform(60.0, 350.0), rng.uniform(2800.0, 7500.0)
    sections = butter(2, [low_hz, high_hz], btype="bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    return np.asarray(sosfilt(sections, wave), dtype=np.float32)


def mix(wave: Wave, other: Wave, speech_over_other_db: float) -> Wave:
    """Add another sound so that the first is louder by the given decibels (mean power)."""
    power, other_power = float(np.mean(wave**2)), float(np.mean(other**2))
    if power <= 0.0 or other_power <= 0.0:
        return wave
    gain = np.sqrt(power / other_power / 10.0 ** (speech_over_other_db / 10.0))
    return (wave + np.float32(gain) * other).astype(np.float32)


def disturb(rng: np.random.Generator, wave: Wave, low_db: float = 3.0, high_db: float = 25.0) -> Wave:
    """Disturb a clip: perhaps a room and a band limit, and one sound of noise, hum or tones over it for certain."""
    if rng.random() < 0.4:
        wave = reverberate(rng, wave)
    maker = (coloured_noise, coloured_noise, hum, tones)[rng.integers(4)]
    wave = mix(wave, maker(rng, wave.size), rng.uniform(low_db, high_db))
    return limit_band(rng, wave) if rng.random() < 0.25 else wave


def augment(rng: np.random.Generator, wave: Wave, disturbed_share: float = 0.5) -> Wave:
    """Give a clip a random level and silence before it, and disturb a share of the clips."""
    lead = int(rng.integers(0, SAMPLE_RATE_HZ // 4))
    wave = np.concatenate([np.zeros(lead, dtype=np.float32), wave])
    if rng.random() < disturbed_share:
        wave = disturb(rng, wave)
    peak = float(np.abs(wave).max(initial=1e-4))
    return (wave * np.float32(10.0 ** rng.uniform(-1.3, -0.05) / peak)).astype(np.float32)


def _seconds(n: int) -> np.ndarray:
    """Give the time of each value, (n,) float64, in seconds."""
    return np.arange(n) / SAMPLE_RATE_HZ

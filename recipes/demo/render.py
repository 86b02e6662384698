"""From the plan of a video to its sound: espeak-ng's voices over the planned scenes."""

from __future__ import annotations

import io
import subprocess
import wave
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from recipes.demo.plan import Channel, Part, VideoPlan, Voice
from recipes.demo.scenes import SCENES
from recipes.demo.synth import SAMPLE_RATE_HZ, Sound, add_at, happens, low_pass, reverberate, steps

CROSSFADE_SECONDS = 0.5
CEILING = 0.85
"""The loudest value before encoding; lossy coders overshoot, and this leaves them room."""


@lru_cache(maxsize=4096)
def speak(voice: Voice, sentence: str) -> Sound:
    """Let espeak-ng say a sentence: (n,) float64 at 16 kHz, not scaled.

    Raises
    ------
    FileNotFoundError
        If espeak-ng is not installed.
    subprocess.CalledProcessError
        If espeak-ng refuses the voice.
    """
    command = ["espeak-ng", "-v", voice.name, "-s", str(voice.words_per_minute), "-p", str(voice.pitch), "--stdout"]
    answer = subprocess.run([*command, "--", sentence], check=True, capture_output=True, timeout=60).stdout
    with wave.open(io.BytesIO(answer)) as file:
        rate_hz = file.getframerate()
    # espeak-ng writes to a pipe and so leaves a wrong length in the header: everything behind its 44 bytes is sound.
    values = np.frombuffer(answer[44 : 44 + (len(answer) - 44) // 2 * 2], dtype="<i2").astype(np.float64) / 32_768.0
    divisor = np.gcd(rate_hz, SAMPLE_RATE_HZ)
    return np.asarray(resample_poly(values, SAMPLE_RATE_HZ // divisor, rate_hz // divisor))


def render(plan: VideoPlan) -> NDArray[np.float32]:
    """Make the sound of a video: (n,) float32 mono at 16 kHz, at the planned loudness, peak below 0.85."""
    rng = np.random.default_rng(plan.seed)
    speech, ambience = _speech(rng, plan), _ambience(rng, plan)
    speech = reverberate(rng, speech, plan.channel.room_seconds, 0.2)
    mix = _to_active_rms(speech) + _to_active_rms(ambience) * 10.0 ** (-plan.speech_above_ambience_db / 20.0)
    mix += 10.0 ** (plan.channel.hiss_db / 20.0) * rng.standard_normal(len(mix))
    return limit(_tilted(mix, plan.channel), plan.loudness_dbfs)


def _speech(rng: np.random.Generator, plan: VideoPlan) -> Sound:
    out = np.zeros(steps(plan.seconds))
    start = 0.0
    for part in plan.parts:
        _speak_part(rng, plan, part, out, start)
        start += part.seconds
    return out


def _speak_part(rng: np.random.Generator, plan: VideoPlan, part: Part, out: Sound, start: float) -> None:
    """Say one sentence after the other, with pauses; one that no longer fits the part is left out."""
    now = start + float(rng.uniform(0.3, 2.0))
    for sentence in part.sentences:
        guest_speaks = plan.guest is not None and happens(rng, 0.4)
        said = speak(plan.guest if guest_speaks and plan.guest else plan.channel.voice, sentence)
        pause = float(np.clip(rng.exponential(plan.mean_pause_seconds), 0.15, 5.0))
        if now + len(said) / SAMPLE_RATE_HZ > start + part.seconds - 0.1:
            continue
        add_at(out, said * rng.uniform(0.8, 1.2), steps(now))
        now += len(said) / SAMPLE_RATE_HZ + pause


def _ambience(rng: np.random.Generator, plan: VideoPlan) -> Sound:
    """Lay the scenes of the parts one after the other, crossfaded, each at the same active level."""
    out = np.zeros(steps(plan.seconds))
    start = 0.0
    for part in plan.parts:
        before = CROSSFADE_SECONDS if start > 0.0 else 0.0
        scene = _to_active_rms(SCENES[part.scene](rng, part.seconds + before).astype(np.float64))
        ramp = np.ones(len(scene))
        ramp[: steps(before)] = np.linspace(0.0, 1.0, steps(before)) if before else 1.0
        edge = steps(start) - steps(before) if before else 0
        out[edge:] *= np.maximum(0.0, 1.0 - _rising(len(out) - edge, before)) if before else 1.0
        add_at(out, scene * ramp, edge)
        start += part.seconds
    if plan.music_bed:
        out += 0.45 * _to_active_rms(SCENES["melodies"](rng, plan.seconds).astype(np.float64))
    return out


def _rising(n: int, seconds: float) -> Sound:
    return np.minimum(1.0, np.arange(n) / steps(seconds))


def _to_active_rms(sound: Sound) -> Sound:
    """Scale a sound so that the louder half of its 50 ms stretches has an RMS of 1; gaps do not count."""
    size = steps(0.05)
    whole = sound[: len(sound) // size * size].reshape(-1, size)
    powers = np.sort(np.mean(whole**2, axis=1))
    return np.asarray(sound / (np.sqrt(np.mean(powers[len(powers) // 2 :])) + 1e-9))


def _tilted(sound: Sound, channel: Channel) -> Sound:
    """Colour a sound as a channel's microphone does: more or less below 1 kHz against above."""
    low = low_pass(sound, 1_000.0, order=1)
    return np.asarray(low * 10.0 ** (-channel.tilt_db / 40.0) + (sound - low) * 10.0 ** (channel.tilt_db / 40.0))


def limit(sound: Sound, loudness_dbfs: float) -> NDArray[np.float32]:
    """Bring a sound to a loudness (RMS in dBFS) with a soft ceiling: (n,) float32, peak below 0.85."""
    goal = 10.0 ** (loudness_dbfs / 20.0)
    out = sound - sound.mean()
    for _ in range(4):
        out = out * (goal / (np.sqrt(np.mean(out**2)) + 1e-12))
        out = CEILING * np.tanh(out / CEILING)
    return np.asarray(out, dtype=np.float32)

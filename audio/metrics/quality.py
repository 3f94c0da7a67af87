"""PESQ through the `pesq` package, with its edge cases turned into reasons and long signals measured in windows.

ITU-T P.862 (narrow band, with the P.862.1 mapping) and P.862.2 (wide band, without its Corrigendum 2: with it values
are 0.06 to 1.08 higher, in nearly the same order). Range 1.0 to about 4.6, higher is better. Gain and polarity do not
matter; a delay lowers the value a little. A measure of speech: not validated for music or laughter.

The C code of `pesq` holds at most 50 utterances and ends the whole process on more. An utterance takes 0.2 s and a
pause 0.2 s, so up to 20 s is safe; longer signals are cut at pauses into windows of 8 to 20 s, and the mean over the
windows is labelled as such by its type.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from audio.metrics.signals import Floats, Samples, checked_pair
from basics.errors import InputError, Problem, Undefined
from basics.messages import say

RATE = 16_000  # Hz; narrow band also runs at 8000 Hz
SHORTEST_WINDOW, LONGEST_WINDOW = 8.0, 20.0  # s
PAUSE = 0.3  # s of energy that is averaged to find a pause


class WindowMean(float):
    """A mean over windows of one long signal: `windows` of `attempted` windows had a value."""

    windows: int
    attempted: int

    def __new__(cls, value: float, windows: int, attempted: int) -> WindowMean:
        self = super().__new__(cls, value)
        self.windows, self.attempted = windows, attempted
        return self

    def __reduce__(self) -> tuple[type[WindowMean], tuple[float, int, int]]:
        return WindowMean, (float(self), self.windows, self.attempted)

    def __repr__(self) -> str:
        return f"{float(self)!r} (mean over {self.windows} of {self.attempted} windows)"


def pesq(reference: Samples, estimate: Samples, *, sample_rate: int, mode: str = "wb") -> float:
    """PESQ of `estimate` against `reference`, MOS-LQO. `mode` is `wb` (16 kHz) or `nb` (16 or 8 kHz).

    Both (n,), aligned. Another rate raises InputError: resample first. Longer than 20 s gives a `WindowMean`. Raises
    Undefined when no utterance is found, under 0.25 s, and for silent or non-finite signals.
    """
    x, y = checked_pair(reference, estimate, sample_rate)
    if problems := rate_problems(sample_rate, mode):
        raise InputError(problems)
    spans = windows(x, sample_rate)
    values = [_window_value(x[a:b], y[a:b], sample_rate, mode) for a, b in spans]
    return window_mean(values)


def rate_problems(sample_rate: int, mode: str) -> list[Problem]:
    """What is wrong with measuring `mode` at this rate in Hz; nothing for wb at 16000 and nb at 16000 or 8000."""
    if (sample_rate, mode) in ((RATE, "wb"), (RATE, "nb"), (8000, "nb")):
        return []
    return [
        Problem(
            "pesq",
            say("mode {mode!r} at {sample_rate} Hz", mode=mode, sample_rate=sample_rate),
            say("use wb or nb at 16000 Hz (or nb at 8000 Hz)"),
        )
    ]


def _window_value(x: Floats, y: Floats, sample_rate: int, mode: str) -> float | Undefined:
    from pesq import BufferTooShortError, NoUtterancesError, PesqError
    from pesq import pesq as itu_pesq

    try:
        value = float(itu_pesq(sample_rate, x, y, mode, on_error=PesqError.RAISE_EXCEPTION))
    except NoUtterancesError:
        return Undefined("PESQ found no utterance")
    except BufferTooShortError:
        return Undefined(f"PESQ needs a quarter of a second, got {len(x) / sample_rate:.3f} s")
    except ValueError:  # a window without any signal: its level cannot be aligned
        return Undefined("PESQ: a signal is silent in this window")
    return value if np.isfinite(value) else Undefined("PESQ returned no number")


def window_mean(values: Sequence[float | Undefined]) -> float:
    """The only value, or a `WindowMean` of those that are defined. Raises the first Undefined where none is."""
    defined = [value for value in values if not isinstance(value, Undefined)]
    if not defined:
        raise next(value for value in values if isinstance(value, Undefined))
    if len(values) == 1:
        return defined[0]
    return WindowMean(float(np.mean(defined)), len(defined), len(values))


def windows(
    reference: Floats, sample_rate: int, longest: float = LONGEST_WINDOW, shortest: float = SHORTEST_WINDOW
) -> list[tuple[int, int]]:
    """Spans (start, end) in samples that cover `reference`, each `shortest` to `longest` seconds, cut at pauses.

    `reference` is (n,), `sample_rate` in Hz. A signal of at most `longest` is one span, whatever its length.
    """
    if len(reference) <= longest * sample_rate:
        return [(0, len(reference))]
    loudness = _loudness(reference, sample_rate)
    return list(_spans(loudness, len(reference), sample_rate, longest, shortest))


def _spans(
    loudness: Floats, length: int, sample_rate: int, longest: float, shortest: float
) -> Iterable[tuple[int, int]]:
    start = 0
    while length - start > longest * sample_rate:
        first = start + round(shortest * sample_rate)
        last = min(start + round(longest * sample_rate), length - round(shortest * sample_rate))
        step = max(1, sample_rate // 100)
        candidates = np.arange(first, last + 1, step)
        cut = int(candidates[loudness[candidates].argmin()])
        yield start, cut
        start = cut
    yield start, length


def _loudness(signal: Floats, sample_rate: int) -> Floats:
    """Energy in a centred window of PAUSE seconds at every sample."""
    half = max(1, round(PAUSE * sample_rate / 2))
    total = np.concatenate(([0.0], np.cumsum(signal**2)))
    index = np.arange(len(signal))
    return np.asarray(total[np.minimum(index + half, len(signal))] - total[np.maximum(index - half, 0)])

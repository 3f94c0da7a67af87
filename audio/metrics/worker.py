"""What a worker process does for the engine: every measure of one pair, with denormal numbers taken for zero."""

from __future__ import annotations

import ctypes
import platform
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from audio.metrics.registry import measure
from audio.metrics.signals import Samples
from basics.errors import Undefined

FLUSH_TO_ZERO, DENORMALS_ARE_ZERO = 0x8000, 0x0040  # bits of the x86 MXCSR register
FENV_SIZE, MXCSR_OFFSET = 32, 28  # glibc's fenv_t on x86-64


def measure_here(
    reference: Samples, estimate: Samples, sample_rate: int, metrics: Sequence[str]
) -> dict[str, float | Undefined]:
    """`audio.metrics.registry.measure` of a pair of (n,), for a worker."""
    with denormals_flushed():
        return measure(reference, estimate, sample_rate=sample_rate, metrics=metrics)


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Treat denormal numbers as zero in this thread, where that is known to be safe to do: glibc on x86-64.

    The filters of PESQ decay into denormals, which cost many processors dearly; scores move by less than 1e-6.
    """
    if platform.machine() not in ("x86_64", "AMD64") or platform.libc_ver()[0] != "glibc":
        yield
        return
    libm = ctypes.CDLL("libm.so.6")
    before, during = ctypes.create_string_buffer(FENV_SIZE), ctypes.create_string_buffer(FENV_SIZE)
    if libm.fegetenv(before) != 0:
        yield
        return
    during.raw = before.raw
    (mxcsr,) = struct.unpack_from("<I", before, MXCSR_OFFSET)
    struct.pack_into("<I", during, MXCSR_OFFSET, mxcsr | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO)
    libm.fesetenv(during)
    try:
        yield
    finally:
        libm.fesetenv(before)

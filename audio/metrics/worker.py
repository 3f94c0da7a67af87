"""The process that measures: reads pairs from standard input and writes values to standard output until input ends.

It imports numpy and pesq (and librosa where F0 is wanted) and runs one thread. When the C code of `pesq` crashes, this
process alone dies.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import platform
import struct
import sys

from audio.metrics.registry import measure

FLUSH_TO_ZERO, DENORMALS_ARE_ZERO = 0x8000, 0x0040  # bits of the x86 MXCSR register
FENV_SIZE, MXCSR_OFFSET = 32, 28  # glibc's fenv_t on x86-64


def flush_denormals() -> None:
    """Make this thread treat denormal numbers as zero, where that is known to be safe to do: glibc on x86-64.

    The filters of PESQ decay into denormals, which cost many processors dearly; scores move by less than 1e-6.
    """
    if platform.machine() not in ("x86_64", "AMD64") or platform.libc_ver()[0] != "glibc":
        return
    libm = ctypes.CDLL("libm.so.6")
    environment = ctypes.create_string_buffer(FENV_SIZE)
    if libm.fegetenv(environment) == 0:
        (mxcsr,) = struct.unpack_from("<I", environment, MXCSR_OFFSET)
        struct.pack_into("<I", environment, MXCSR_OFFSET, mxcsr | FLUSH_TO_ZERO | DENORMALS_ARE_ZERO)
        libm.fesetenv(environment)


def main() -> None:
    """Serve (reference, estimate, sample rate, metric names) -> {name: value or Undefined} until end of input."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not land among the replies
    flush_denormals()
    while True:
        try:
            reference, estimate, sample_rate, metrics = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(measure(reference, estimate, sample_rate=sample_rate, metrics=metrics), replies)
        replies.flush()


if __name__ == "__main__":
    main()

"""The library transformers without its progress bars and warnings, where messages of this program say what matters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """No progress bar, no table of what did not fit, no warning inside."""
    from transformers.utils import logging

    switch: Any = logging
    shown, verbosity = switch.is_progress_bar_enabled(), switch.get_verbosity()
    switch.disable_progress_bar()
    switch.set_verbosity_error()
    try:
        yield
    finally:
        switch.set_verbosity(verbosity)
        if shown:
            switch.enable_progress_bar()

"""The errors of the project under the name that evaluators written before `basics` know."""

from __future__ import annotations

from basics.errors import EarwitnessError, Incompatible, InputError, Problem, Unavailable, Undefined, opening

__all__ = ["EarwitnessError", "Incompatible", "InputError", "Problem", "Unavailable", "Undefined", "opening"]

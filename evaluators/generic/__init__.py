"""Evidence without a package: a function, a notebook, a table, a program or a list of facts in the quiz's folder.

A question names one by its kind, `{python: evidence.py:power, gives: [power]}`, and says which values it takes. What
can be taken is known from the quiz's YAML alone, so claims are checked before anything is run. What is run gets a
process of its own, in a copy of the files that are named, without a network and with a seed (`running`).
"""

from __future__ import annotations

KINDS = ("command", "facts", "notebook", "python", "table")
"""Evaluators that a question may name by the key that says what they read."""
EXTRA = "courses"
"""The extra of the project that brings what some of them need."""

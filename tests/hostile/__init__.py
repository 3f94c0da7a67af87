"""Hostile inputs: drawn, run and counted.

`python -m tests.hostile --minutes 60` looks for new ones by hand. Continuous integration draws a fixed few.
"""

"""Hostile inputs: drawn, run and counted.

`python -m tests.hostile --minutes 60` looks for new ones by hand; `python -m tests.hostile.kills` and
`python -m tests.hostile.crowds` kill and crowd the program. Continuous integration draws a fixed few.
"""

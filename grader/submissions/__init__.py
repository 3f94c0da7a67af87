"""Submissions of a class: what was ticked, by whom and when, from Canvas reports, plain CSV or YAML."""

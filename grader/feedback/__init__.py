"""Feedback for each student: what was ticked, what holds and why, and the arithmetic of every option."""

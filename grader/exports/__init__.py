"""Grades and the quiz for other systems: NTU COOL, Moodle, Gradescope; an edition for students with a sealed key."""

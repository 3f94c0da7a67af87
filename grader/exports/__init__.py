"""The quiz for other systems: Canvas QTI 1.2, Moodle XML, and an edition for students with a sealed key."""

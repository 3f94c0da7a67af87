"""A module that breaks while it is imported."""

raise RuntimeError("broke while it was imported")

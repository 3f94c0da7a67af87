"""The demonstration clips of `audio/clips`: what is spoken, laughed and played, by which synthesizers."""

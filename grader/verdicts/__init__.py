"""From evidence to verdicts, and from verdicts to the answer key."""

"""Collections of sound files: original and reconstruction pairs, clips that play a role, emotional speech.

Only paths and labels: nothing here decodes sound or imports numpy.
"""

from __future__ import annotations

from audio.corpus.emotions import EmotionClip, EmotionCorpus, read_emotions
from audio.corpus.manifests import Pair, read_pairs
from audio.corpus.roles import find_role, folders_of

__all__ = ["EmotionClip", "EmotionCorpus", "Pair", "find_role", "folders_of", "read_emotions", "read_pairs"]

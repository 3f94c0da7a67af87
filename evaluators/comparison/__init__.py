"""Codecs compared on the same clips: codecs × bitrates × clips, each value or the reason why there is none.

`sources` finds the clips, `work` is what is done with one of them, `running` does all of them here or on a cluster and
keeps each as it stands, `statistics` says what the values come to, `results` writes them.
"""

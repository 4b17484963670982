"""The public log of retirements and grams: entries, tree, checkpoints, proofs, verification.

Pure: no Django, no database, no clock. RFC 9162 hashing, C2SP tlog-checkpoint and tlog-proof, Ed25519; ours
are only the three forms of an entry (entries.py) and the rule that intervals do not overlap (verifying.py).
"""

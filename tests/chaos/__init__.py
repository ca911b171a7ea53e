"""Faults under load: acd, Asterisk, the link between them and the database are broken while callers and agents go on.

`python -m tests.chaos` runs all faults (make chaos), `python -m tests.chaos NAME` one. What stands here runs in three
places: `sip`, `load`, `plan` and `proxy` inside the rig's container, `stepped` inside acd's, all else on the host.
"""

"""A simulated Asterisk with people who call and answer: for `acd demo`, tests and benches.

`acd serve` needs nothing of it. Every message has the shape of those that a real Asterisk was recorded with.
"""

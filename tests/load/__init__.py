"""acd beside the real Asterisk under many calls, and beside what else could listen to it: `python -m tests.load`."""

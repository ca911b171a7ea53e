"""The web API in-process, over a real socket to a fake Asterisk that carries out what it is told."""

"""Tests of acd/asterisk: recordings of a real Asterisk, and a fake one on a real socket."""

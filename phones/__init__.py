"""Test telephones and callers: real SIP against a real Asterisk, for the demo and the end-to-end tests."""

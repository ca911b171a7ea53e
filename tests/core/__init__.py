"""The call center by itself: histories of events, no clock, no Asterisk."""

"""acd audit: the call center's figures once more, from Asterisk's queue_log, beside what acd says of the same calls.

Nothing in here may import the core, nor the reading of gaps: two accounts from one source would always agree.
The line reader of queue_log and the settings are shared.
"""

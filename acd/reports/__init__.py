"""Reports: rows of the ledger and of the agents' times in, figures out.

Nothing is read or sent here, and no report keeps the rows that went through it: its memory grows with queues, agents
and codes, never with calls. All sums are whole microseconds, so that parts add up to the whole exactly.
"""

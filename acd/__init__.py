"""An automatic call distributor on top of Asterisk, with the agents, sessions and groups of TAPI 3."""

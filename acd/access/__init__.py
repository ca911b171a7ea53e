"""Who may come in, as whom, and what he may do. Knows nothing of HTTP."""

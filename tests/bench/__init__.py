"""Measures speed, latency and memory: `python -m tests.bench`. docs/performance.md says how and what came out."""

"""The tests; `make quick` runs all but tests/e2e."""

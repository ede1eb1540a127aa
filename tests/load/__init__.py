"""Benchmarks: measured and reported, never asserted. `make bench`, or `python -m tests.load --help`."""

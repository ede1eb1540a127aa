"""The doors for bytes from outside, tried with bytes that coverage leads to (see `tests.fuzz.__main__`)."""

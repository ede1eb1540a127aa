"""Real servers of other makers, started from a checkout of theirs and pulled from; never part of the test suite."""

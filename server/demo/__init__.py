"""Two made-up years of reports, sent through the real door, so that a newcomer sees a map and hotspots within a minute."""

"""What goes out: datasets, hotspots, privacy, releases."""

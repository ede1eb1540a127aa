"""What we ask: surveys, their definitions, and the reading of one submission. Pure: no database, no network."""

"""What moves: the intake of a submission from a phone."""

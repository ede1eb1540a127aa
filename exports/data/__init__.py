"""The records of one survey, whole, in the formats analysts work with. Everything is written while it is read."""

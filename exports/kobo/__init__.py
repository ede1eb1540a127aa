"""Forms and records as KoBoToolbox's API (version 2) gives them, for pykobo, koboextractor, robotoolbox and the like."""

"""Real forms, filled in by two engines that know nothing of this project, sent as a phone sends, and compared byte for byte."""

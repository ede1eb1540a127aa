"""Why a record of another node is not yet part of what people see here."""


class Waits(Exception):
    """It is tried again later. The reason: form (not published here), files (not here yet), original (what it is about has not
    come), kind (of a newer version of this program), hollow (its body was erased), asked (for a person to agree), failed."""

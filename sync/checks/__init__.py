"""Checks: what is odd about a record when it is looked at with knowledge of the world and of other records.

They come after the receipt, never refuse anything, and can be run again: each finding is a flag that explains itself.
"""

from sync.checks.checker import RULES, Checker

__all__ = ["RULES", "Checker"]

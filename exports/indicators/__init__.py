"""The indicators of the range-wide strategy: each with its formula, number of cases, limits, coverage and the activities it serves.

`files.run_indicators` reads the records of a project and writes a release. A family of indicators is one file here; `catalogue`
names all of them, in the order of the strategy.
"""

"""The report people read: what the releases say, in words, maps and tables, for a country and for the whole range.

`files.run_report` writes it. `numbers` reads the tables of the releases, `chapters` makes a `document.Document` of them, `html` and
`pdf` show that. Nothing here counts records: a figure that is kept back in a release cannot be in the report.
"""

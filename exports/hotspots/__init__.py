"""Where livestock is attacked more than its exposure explains: from the reports to the tables, maps and files of a release."""

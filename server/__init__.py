"""The door: HTTP for phones and browsers, accounts, the command line, the schedule. Knows every other room."""

"""The surveys as people see them: ODK Web Forms in a browser of a phone's size."""

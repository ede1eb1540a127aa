"""What a person may ask for: to see what is kept of them, and to have it erased. They are found by a code, a name or a number."""

"""The words of a table whose numbers stand in another file."""

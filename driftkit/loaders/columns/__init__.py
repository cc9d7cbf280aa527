"""Tables kept as columns: which column holds the words, and which columns their vectors."""

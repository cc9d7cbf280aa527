"""How far words and the whole space moved."""

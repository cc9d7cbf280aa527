"""What general knowledge a table holds, and what was lost of it."""

"""One file per format, and the table that tells them apart."""

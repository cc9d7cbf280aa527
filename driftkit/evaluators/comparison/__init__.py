"""Both tables of a pair on the items both can answer, and the difference tested."""

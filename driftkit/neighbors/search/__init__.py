"""The k nearest neighbors by cosine, exactly: products propose, float64 decides."""

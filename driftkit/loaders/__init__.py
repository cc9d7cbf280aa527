"""From whatever people saved to `Embeddings`: one file per format."""

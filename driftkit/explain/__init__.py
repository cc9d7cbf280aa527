"""Why neighbors changed, and where words moved to."""

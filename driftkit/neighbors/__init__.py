"""Whose company changed: nearest neighbors before and after."""

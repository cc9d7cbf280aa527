"""Analogies: which word is to c as b is to a."""

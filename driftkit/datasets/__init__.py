"""Benchmarks by name or by file."""

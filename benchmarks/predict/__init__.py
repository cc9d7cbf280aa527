"""DriftBench: which measure of a table tells what its consumers will do."""

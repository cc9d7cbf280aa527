"""The gate: rules and baselines in, one verdict and exit code out."""

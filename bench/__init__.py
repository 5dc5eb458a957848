"""Benchmarks: what Farebox claims, against baselines in the same run."""

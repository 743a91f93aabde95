"""Benchmarks: what the server costs, each figure as a ratio to the least possible. Run ``python -m benchmarks``."""

"""Benchmarks: each prints its figures beside a baseline of the same run. Nothing here is asserted."""

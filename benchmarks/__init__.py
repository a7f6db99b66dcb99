"""What the client costs, as ratios to its neighbours in one run: `python -m benchmarks`."""

"""The cases: each returns some of the figures in `benchmarks.gates`."""

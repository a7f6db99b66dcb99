"""The cases: each gives some of the figures that `benchmarks.gates` names."""

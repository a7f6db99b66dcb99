"""Many processes with many tasks on one account, under faults: `python -m tests.soak`."""

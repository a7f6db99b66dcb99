"""The twelve statistics of apps."""

"""The twelve statistics."""

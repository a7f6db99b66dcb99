"""What users get by their type checkers: read by mypy and pyright, never run but for the tests."""

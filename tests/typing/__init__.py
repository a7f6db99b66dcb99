"""Cases for mypy and pyright, as in users' code. Only the tests in this folder run."""

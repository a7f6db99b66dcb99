"""One request to one server; knows nothing of accounts."""

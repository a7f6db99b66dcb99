"""What the files of the package are made with; no part of it."""

"""The routes: a file per group of plain functions from state and call to reply."""

"""The console API as data, and how a call runs."""

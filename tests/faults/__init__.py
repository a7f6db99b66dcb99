"""What goes wrong in a year of running, one file a kind; each test names the report that it answers."""

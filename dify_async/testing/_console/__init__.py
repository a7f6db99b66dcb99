"""The fake console without its sockets: what it knows, and how it answers."""

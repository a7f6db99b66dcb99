"""The fake console without its sockets: its state and its answers."""

"""Who calls: an account with its session, or the server's admin key."""

"""Who asks: an account by its password, or the server's admin key."""

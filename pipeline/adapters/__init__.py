"""What touches the world: HTTP, the encoder, mail, the database, the archive."""

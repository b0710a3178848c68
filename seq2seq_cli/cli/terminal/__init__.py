"""What draws on the terminal."""

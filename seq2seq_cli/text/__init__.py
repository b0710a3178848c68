"""Strings to token ids and back; reading, checking and counting corpora."""

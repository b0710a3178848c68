"""Strings to token ids and back, and corpora: reading, checking, statistics."""

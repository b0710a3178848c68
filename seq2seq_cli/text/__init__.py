"""Strings to ids and back, and the files that hold them."""

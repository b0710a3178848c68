"""Atomic files and locks, the ``.npz`` archive, the checkpoint."""

"""Atomic files, locks, the ``.npz`` archive, and the checkpoint."""

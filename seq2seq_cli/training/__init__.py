"""Batches, the loop, several cores, the estimate before, the diagnostics during, the records after."""

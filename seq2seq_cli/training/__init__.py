"""The training loop, its batches and workers; estimates before a run, diagnostics during it, records of it."""

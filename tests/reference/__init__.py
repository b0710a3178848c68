"""Stored results of other implementations, and the scripts that rebuild them."""

from pathlib import Path

PATH = Path(__file__).with_name("torch_reference.npz")
PEEPHOLE_PATH = Path(__file__).with_name("peephole_lstm.npz")
LABEL_SMOOTHING = 0.1
CLIP_NORM = 0.5

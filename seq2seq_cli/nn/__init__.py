"""The mathematics: arrays in, arrays out; no files, no text.

Reading order: ``functional`` · ``cells`` · ``packing`` · ``recurrent`` · ``encoder_decoder`` (the three teaching
functions) · ``embedding`` · ``output_layer`` · ``parameters`` · ``encoder`` · ``decoder`` · ``model`` ·
``optimizers`` · ``search``.
"""

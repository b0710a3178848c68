"""The network, written to be read: each forward pass beside its backward pass; arrays in, arrays out.

Reading order: ``functional`` · ``cells`` · ``packing`` · ``recurrent`` · ``teaching`` (the three teaching functions) ·
``embedding`` · ``output_layer`` · ``parameters`` · ``encoder`` · ``decoder`` · ``model`` · ``gradcheck`` ·
``optimizers``; ``products`` makes the matrix products of ``recurrent`` fast.
"""

"""The network, for reading: each definition with its forward beside its backward; arrays in, arrays out.

Reading order: ``functional`` · ``cells`` · ``packing`` · ``recurrent`` · ``teaching`` (the three teaching functions) ·
``embedding`` · ``output_layer`` · ``parameters`` · ``encoder`` · ``decoder`` · ``model`` · ``gradcheck`` ·
``optimizers``; ``products`` makes the matrix products of ``recurrent`` fast.
"""

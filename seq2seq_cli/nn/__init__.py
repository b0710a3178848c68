"""The network, written to be read: each forward pass beside its backward pass; arrays in, arrays out.

``README.md`` beside this file has the reading order, from ``functional`` and ``cells`` to ``teaching``.
"""

"""The fast forward pass, search, ensembles, ``Translator``, and explanations."""

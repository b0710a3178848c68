"""The network forward only and fast: search, ensembles, ``Translator``, explanations."""

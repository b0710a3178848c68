"""sacreBLEU scores, baselines, comparison of systems, and context vectors."""

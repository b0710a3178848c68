"""sacreBLEU scores, baselines, comparison, context vectors."""

"""Terminal output: tables, charts, progress, the prompt, figures."""

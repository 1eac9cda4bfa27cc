"""YAML text as nodes with positions, and mistakes in YAML."""

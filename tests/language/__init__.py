"""The mapping language: what each key does, and the diagnostics of mappings."""

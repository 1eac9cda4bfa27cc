"""Mappings: compiled to functions, which make records of events."""

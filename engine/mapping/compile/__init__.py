"""Mapping → functions.

Imported by: project, inspect.
"""

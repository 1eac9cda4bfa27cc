"""Mapping → functions: makes the plan of a mapping, and generates the code that follows it.

Imported by: project, inspect/traits, inspect.
"""

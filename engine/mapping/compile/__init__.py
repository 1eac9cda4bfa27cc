"""Mapping → functions.

Imported by: mapping/run, project, inspect, commands.
"""

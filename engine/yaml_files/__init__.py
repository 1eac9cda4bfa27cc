"""YAML text as nodes with positions, tables of known keys, and diagnostics.

Imported by: language, mapping/compile, mapping/run, org, delivery, project, local_org, inspect, serve,
commands.
"""

"""YAML text as nodes with positions, tables of known keys, and diagnostics.

Imported by: language, mapping/run, mapping/compile, org, delivery, project, local_org/faults,
local_org/records, local_org, planning, inspect/traits, inspect, serve, workbench, api, commands.
"""

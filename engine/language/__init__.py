"""The mapping language: YAML nodes → Mapping.

Imported by: mapping/values, mapping/filters, mapping/run, mapping/compile, org, sources/shapes, delivery,
project, inspect, suggest, workbench, api, commands.
"""

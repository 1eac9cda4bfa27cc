"""The mapping language: YAML nodes → Mapping.

Imported by: mapping/values, mapping/filters, mapping/run, mapping/compile, org, delivery, project, inspect, api,
commands.
"""

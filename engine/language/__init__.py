"""The mapping language: YAML nodes → Mapping.

Imported by: mapping/values, mapping/filters, mapping/compile, mapping/run, org, delivery, project, inspect,
commands.
"""

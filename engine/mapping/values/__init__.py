"""Events, the values of fields, and records.

Imported by: mapping/filters, mapping/compile, mapping/run, org, org/soap, sources, delivery, inspect,
testing, serve, commands.
"""

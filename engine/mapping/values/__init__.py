"""Events, the values of fields, and records.

Imported by: mapping/filters, mapping/run, mapping/compile, org, org/soap, sources, delivery, inspect, testing,
serve, api, commands.
"""

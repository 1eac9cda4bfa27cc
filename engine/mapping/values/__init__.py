"""Events, the values of fields, and records.

Imported by: mapping/filters, mapping/run, mapping/compile, org, org/soap, sources, sources/queries, delivery,
inspect, testing, serve, api, commands.
"""

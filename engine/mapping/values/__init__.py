"""Events, the values of fields, and records.

Imported by: mapping/filters, mapping/run, mapping/compile, org, org/soap, org/bulk, sources,
sources/formats, sources/shapes, sources/queries, sources/kafka, sources/files, delivery, project,
wiring, planning, inspect/traits, inspect, migrate, suggest, testing, serve, workbench, backfill, api, commands.
"""

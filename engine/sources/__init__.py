"""Where events come from.

Imported by: sources/stores, sources/formats, sources/queries, sources/kafka, sources/files, journal,
delivery, workers, wiring, inspect, testing, serve, workbench, backfill, api, commands.
"""

"""Event → records: the plans of mappings and their fields, and what follows them for each event.

Imported by: mapping/compile, delivery, workers, project, wiring, inspect/traits, inspect, testing, serve,
workbench, backfill, api.
"""

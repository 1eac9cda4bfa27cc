"""The project file sfmap.yaml: mappings, settings, orgs, sources and secrets.

Imported by: wiring, inspect, testing, serve, workbench, backfill, api, commands.
"""

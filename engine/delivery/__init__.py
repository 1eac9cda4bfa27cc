"""Records → outcomes.

Imported by: workers, wiring, inspect, serve, backfill, api, commands.
"""

"""Records → outcomes.

Imported by: workers, wiring, planning, inspect, serve, backfill, api, commands.
"""

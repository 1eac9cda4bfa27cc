"""Records → outcomes.

Imported by: workers, wiring, inspect, serve, api, commands.
"""

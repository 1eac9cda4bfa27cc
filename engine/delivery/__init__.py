"""Records → outcomes.

Imported by: workers, wiring, serve, api, commands.
"""

"""Records → outcomes.

Imported by: wiring, serve, api, commands.
"""

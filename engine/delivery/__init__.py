"""Records → outcomes.

Imported by: wiring, serve, commands.
"""

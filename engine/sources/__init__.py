"""Where events come from.

Imported by: sources/stores, journal, delivery, inspect, testing, serve, commands.
"""

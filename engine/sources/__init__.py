"""Where events come from.

Imported by: sources/stores, sources/formats, journal, delivery, inspect, testing, serve, api, commands.
"""

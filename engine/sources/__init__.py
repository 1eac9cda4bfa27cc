"""Where events come from.

Imported by: sources/stores, sources/formats, sources/queries, journal, delivery, inspect, testing, serve, api,
commands.
"""

"""Where events come from.

Imported by: sources/stores, sources/formats, sources/queries, sources/files, journal, delivery, wiring,
inspect, testing, serve, api, commands.
"""

"""Where events come from.

Imported by: journal, delivery, inspect, testing, serve, commands.
"""

"""Event → records.

Imported by: mapping/compile, delivery, project, inspect, testing, serve, commands.
"""

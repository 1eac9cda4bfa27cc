"""From the rows of a table to events.

Imported by: sources/files, project, wiring.
"""

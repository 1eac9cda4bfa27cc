"""From the bytes of a file to its rows.

Imported by: sources/files, project, wiring, backfill, commands.
"""

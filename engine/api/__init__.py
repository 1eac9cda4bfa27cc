"""The Python API, on which the commands are written.

Imported by: commands.
"""

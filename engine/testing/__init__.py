"""Sample events as snapshot tests.

Imported by: commands.
"""

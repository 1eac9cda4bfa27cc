"""Sample events as snapshot tests.

Imported by: workbench, commands.
"""

"""What a person asks of a mapping.

Imported by: testing, serve, workbench, api, commands.
"""

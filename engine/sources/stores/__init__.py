"""Where files are: their names, sizes, versions and bytes.

Imported by: wiring, api, commands.
"""

"""What has happened, kept on disk.

Imported by: delivery, wiring, serve, api, commands.
"""

"""What has happened, kept on disk.

Imported by: delivery, wiring, serve, commands.
"""

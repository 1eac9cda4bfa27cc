"""What has happened, kept on disk.

Imported by: journal/shared, delivery, wiring, serve, api, commands.
"""

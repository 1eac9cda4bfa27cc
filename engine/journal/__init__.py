"""What has happened, kept on disk.

Imported by: journal/shared, delivery, workers, wiring, serve, workbench, api, commands.
"""

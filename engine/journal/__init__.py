"""What has happened, kept on disk.

Imported by: journal/shared, delivery, workers, wiring, planning, serve, workbench, api, commands.
"""

"""What the HTTP servers share.

Imported by: local_org, serve, workbench, commands.
"""

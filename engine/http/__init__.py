"""What the HTTP servers share.

Imported by: local_org/faults, local_org/soap, local_org/rest, local_org/pages, local_org, serve, workbench,
commands.
"""

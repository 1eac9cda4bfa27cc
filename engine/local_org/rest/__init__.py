"""The REST API, and its sign-in.

Imported by: local_org/bulk, local_org.
"""

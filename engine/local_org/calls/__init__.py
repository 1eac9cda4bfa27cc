"""Sessions, and calls one at a time.

Imported by: local_org/soap, local_org/rest, local_org/bulk, local_org/pages, local_org.
"""

"""Queries: from text to SQL.

Imported by: local_org/calls, local_org/soap, local_org/rest, local_org/bulk.
"""

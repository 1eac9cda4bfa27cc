"""Pages with the records and the calls.

Imported by: local_org.
"""

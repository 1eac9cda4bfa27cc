"""The partner SOAP API.

Imported by: local_org.
"""

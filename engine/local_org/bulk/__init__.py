"""Bulk API 2.0 and Bulk API: jobs that process CSV in the background.

Imported by: local_org/pages, local_org.
"""

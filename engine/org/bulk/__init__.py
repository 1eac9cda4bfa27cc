"""The bulk jobs of an org, over Bulk API 2.0.

Imported by: wiring.
"""

"""The rows of a database, page by page.

Imported by: wiring.
"""

"""The rows of a database, page by page.

Imported by: journal/shared, wiring.
"""

"""A journal and a spool in PostgreSQL, which several machines share.

Imported by: wiring.
"""

"""Drafts of mappings, from the traits that arrive and the fields that an org describes.

Imported by: commands.
"""

"""`sfmap dev`: mappings edited in a browser, with the records that they make of sample events. It never sends.

Imported by: commands.
"""

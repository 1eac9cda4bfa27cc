"""Projects made from the settings of other products.

Imported by: commands.
"""

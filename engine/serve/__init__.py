"""Events over HTTP, delivered in the background.

Imported by: commands.
"""

"""What a run would change: it is delivered to a stand-in that looks up in the org, and writes nothing.

Imported by: api.
"""

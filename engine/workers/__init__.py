"""The partitions of a topic, each delivered by one worker at a time.

Imported by: api.
"""

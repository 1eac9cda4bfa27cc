"""The other shipped mappings, their schema, and payloads that other products document."""

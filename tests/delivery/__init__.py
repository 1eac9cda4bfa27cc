"""From records to outcomes: what fits the org, lookups, folding, and keys that delivery applies."""

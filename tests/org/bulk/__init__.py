"""The bulk jobs of an org: rows as CSV, results joined to them, lost answers at each step."""

"""What arrives and what it would change: traits, drafts of mappings, plans, and settings of other products."""

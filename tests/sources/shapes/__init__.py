"""From rows to events: columns, and the tables of other products."""

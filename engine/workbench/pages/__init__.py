"""The page of the workbench: its template, style sheet and modules."""

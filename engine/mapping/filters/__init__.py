"""The named filters of pipes and templates.

Imported by: mapping/run, mapping/compile, workbench.
"""

"""Each command as a user runs it, in files named after it: `test_run.py`, `test_run_continues.py`."""

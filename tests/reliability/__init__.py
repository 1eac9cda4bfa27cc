"""Failures and limits of an org, kills and repeated events: nothing is lost, nothing is doubled."""

"""Several machines that deliver to one org, disturbed: nothing is lost, doubled or different."""

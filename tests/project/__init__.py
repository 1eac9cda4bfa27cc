"""sfmap.yaml: how it is found, its mistakes, and its entries of orgs."""

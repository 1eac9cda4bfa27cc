"""The service: clients, addresses, outages, kills, limits, and what it accepts or refuses."""

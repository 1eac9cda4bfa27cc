"""Deliveries with kills, faults and lost answers, compared with a model that shares no code with sfmap."""

"""The topics of Kafka: groups that read them, and producers.

Imported by: workers, wiring, inspect, serve, api.
"""

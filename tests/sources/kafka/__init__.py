"""The topics of Kafka: partitions, positions, groups, producers. The brokers are librdkafka's own."""

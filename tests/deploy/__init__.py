"""What is in `deploy/`, by the schemas of Kubernetes and Compose, by promtool, Prometheus, systemd and a linter."""

"""What is in `deploy/`: by the schemas of Kubernetes and Compose, promtool, Prometheus, systemd and a linter."""

"""What is in `deploy/`, by the schemas of Kubernetes and Compose, and by the commands of sfmap."""

"""What most tests start their commands with: a server that has imported them and forks each."""

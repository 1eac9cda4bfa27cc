"""What the messages of every room share: counts with their nouns, and commands to paste into a shell."""

"""`sfmap dev`: its endpoints, what it reads and writes, and who may ask."""

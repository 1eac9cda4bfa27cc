"""How the org divides the rows of a job: batches of 10,000, which are written in chunks of 200."""

from random import Random

CHUNK = 200
STORED_TOGETHER = 1_000
"""The rows of a query that are stored as one piece; piece 0 has the header."""
PER_BATCH = 50
"""The number of chunks in a batch."""


def chunk_order(rows: int, seed: str) -> list[int]:
    """The numbers of the chunks as they are processed: batch by batch, but not in the order of the upload."""
    chunks = range(-(-rows // CHUNK))
    batches = [chunks[start : start + PER_BATCH] for start in range(0, len(chunks), PER_BATCH)]
    Random(seed).shuffle(batches)  # noqa: S311
    return [number for batch in batches for number in batch]

"""Rules without input or output: identity, deduplication, cursors, clock."""

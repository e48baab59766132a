"""The /_fake plane: what a test does to the fake itself."""

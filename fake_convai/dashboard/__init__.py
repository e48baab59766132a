"""The Long-Term Memory page: static files and their routes."""

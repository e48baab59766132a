"""A live session, whichever transport carries it."""

"""The room: a real LiveKit server, LiveKit's own clients, and the character between them."""

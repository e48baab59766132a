"""What writes and checks the OpenAPI documents; nothing that serves imports it."""

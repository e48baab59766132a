"""Tables, transactions and queries: the only room with SQL."""

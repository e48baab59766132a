"""The wire: one module per API group, in Convai's own spelling."""

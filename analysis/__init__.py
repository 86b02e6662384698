"""What is computed from a collection."""

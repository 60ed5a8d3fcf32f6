"""Says of what kind bytes are."""

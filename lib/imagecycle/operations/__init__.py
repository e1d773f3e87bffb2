"""What the operators of a cloud look at: one document, which Horizon's panel shows."""

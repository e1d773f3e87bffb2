"""What a project chooses from, and what it made from it."""

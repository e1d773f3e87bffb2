"""What is particular to each kind of operating system, and where its packages come from."""

"""For newcomers: quickstart, and the life of a release as two users of a cloud see it."""

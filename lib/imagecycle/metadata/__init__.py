"""What a release carries in Glance: identity, schema, definitions, names for people."""

"""The job library: Jenkins jobs rendered from YAML, and checked against the catalog."""

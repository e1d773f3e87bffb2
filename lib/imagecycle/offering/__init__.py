"""What a cloud offers, for people and programs that have no Horizon: a site of plain files."""

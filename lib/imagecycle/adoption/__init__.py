"""Taking over images that were published by hand before imagecycle."""

"""From a link or a file to an embedding."""

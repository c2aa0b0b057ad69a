"""Results of other tools, published tables and our own exports, as campaigns: `read` a file, `join` several, `save`."""

"""Model files: specification, seal, device file, self-test record, where a name leads, and whether files are whole."""

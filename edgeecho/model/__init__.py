"""Model files: specification, seal, device file, self-test record, names of models, and integrity."""

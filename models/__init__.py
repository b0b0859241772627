"""Released models, one folder each: checkpoint, exported graphs, model card, licence."""

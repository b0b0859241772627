"""Synthetic hearts: drawn phantoms with the exact cavity on every frame, and morphs between stills of patients."""

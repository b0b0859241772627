"""Synthetic hearts: drawn phantoms with the exact cavity on every frame, and stills of patients set in motion."""

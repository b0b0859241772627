"""Peers: other networks for the same task, exported and timed like ours."""

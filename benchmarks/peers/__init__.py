"""Networks that one would take instead, exported and timed like ours."""

"""Quality of a data set: what is missing or wrong in it, and the distribution of what is there."""

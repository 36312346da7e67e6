"""The layouts of a Dataset: by spot, flat, and as in the file."""

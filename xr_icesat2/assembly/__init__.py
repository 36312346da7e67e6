"""From granules and a request to Datasets: which variables, and where each part goes."""

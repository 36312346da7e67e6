"""From granules to Datasets: what each holds, which variables, where each part goes."""

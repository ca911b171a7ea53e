"""The call center itself: values in, values out. Imports the standard library and itself, nothing else."""

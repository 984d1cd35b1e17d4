"""Both sides at once: the matrix, plans, and the jobs that set up whole meshes."""

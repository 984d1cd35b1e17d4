"""Both entries of a peering at once: the matrix, plans, jobs that set up meshes."""

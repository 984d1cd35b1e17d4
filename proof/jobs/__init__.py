"""The jobs of proofs, one kind a file."""

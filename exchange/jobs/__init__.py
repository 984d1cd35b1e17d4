"""The job of the exchanged certificates."""

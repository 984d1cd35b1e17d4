"""Import and export of clusters and peers as CSV and YAML."""

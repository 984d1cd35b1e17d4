"""The pages of System > Clusters and Presence > Inter-Clustering."""

"""The pages of System > Clusters."""

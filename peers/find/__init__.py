"""Find and List: searching peers, and the pages of what was found."""

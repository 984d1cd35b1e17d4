"""Many peers at once: what is selected, the plan, and its confirmation."""

"""Pure judgements over collected facts."""

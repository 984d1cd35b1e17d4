"""How many requests the fuzzing of this run has sent."""

total = 0

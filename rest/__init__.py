"""The REST conventions: strict JSON, pages, problems, ETags, Idempotency-Key."""

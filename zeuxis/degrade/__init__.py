"""Damage: small frozen callables over batches, seeded per sample, composed by listing."""

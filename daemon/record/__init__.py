"""The security record: append-only, hash-linked, signed."""

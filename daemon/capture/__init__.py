"""``ispsd capture``: what a live port says, as a test case whose identities are masked."""

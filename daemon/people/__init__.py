"""The people on board: who they are, what each may do, and how they prove to be themselves."""

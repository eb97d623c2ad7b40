"""Witnesses: the one that this computer is for other ships' records, and those that sign this ship's."""

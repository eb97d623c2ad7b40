"""Checks gather evidence and judge one piece of equipment; one file a kind."""

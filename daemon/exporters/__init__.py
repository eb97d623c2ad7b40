"""The watch for other systems: Home Assistant, Signal K. Off unless the ship's file says so; class ``watch`` only."""

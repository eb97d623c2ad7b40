"""A ship's night in the terminal: real broker, real daemon, simulated devices, no root and no hardware."""

"""Each device is kept running; a driver that hangs the watch is found, written down and held."""

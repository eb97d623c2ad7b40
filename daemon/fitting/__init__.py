"""From the ship's file to a daemon: put together, taken up where it stopped, and changed for another file."""

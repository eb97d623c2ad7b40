"""``ispsd status``: how everything stands at this moment, in a terminal."""

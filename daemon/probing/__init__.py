"""``ispsd check --probe``: is everything there that the ship's file names, before the daemon runs with it?"""

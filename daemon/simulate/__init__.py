"""``ispsd simulate``: a ship's own file, proved against stand-ins for every device in it."""

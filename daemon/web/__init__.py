"""The page of the watch stations, served by a process of its own that has no right but to listen (``ispsd web``)."""

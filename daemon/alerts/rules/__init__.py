"""Which conditions follow from what the sensors say? One file for each kind of thing that is watched.

A rule remembers what it needs of the readings of its points, and says of every one of its conditions whether it holds
when it is asked. It is asked after each change and once a second, so nothing depends on a change not having been
missed: a new level, a permit or the end of settling needs no code here.
"""

"""The tests of the equipment: when each is due, how it is carried out, what is written of it, how it stands."""

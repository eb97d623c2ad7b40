"""The local control socket: who may ask there, and what the fields of a request must be."""

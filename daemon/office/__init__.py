"""The ship's office: who is on duty, what people write, what leaves the ship, who vouches for the record."""

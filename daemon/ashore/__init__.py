"""What leaves the ship for her company each week, and how the company reads it: counts and dates, never movements."""

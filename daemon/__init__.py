"""ispsd: watches a ship's security equipment, tests it, and keeps the evidence."""

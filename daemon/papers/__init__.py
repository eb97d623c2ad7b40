"""The papers: what leaves the ship for people. Entries become rows, rows become PDF/A, CSV or JSON lines."""

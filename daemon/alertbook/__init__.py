"""The alert table as it is in force on this ship, and how often her alerts disturb anybody."""

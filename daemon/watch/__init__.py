"""The watch: reading, point, condition, alert, told and written, in one direction; and what is counted beside it."""

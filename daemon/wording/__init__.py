"""How a thing is said, wherever it is shown: what a camera shows, what a contact says, what a terminal may be shown."""

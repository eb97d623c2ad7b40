"""How the ship stands, as people say: what she does, how careful she must be, and what is ordered for a while."""

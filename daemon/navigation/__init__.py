"""Where the ship is and in what light, how far others are, how often she has to report: geometry and tables, pure."""

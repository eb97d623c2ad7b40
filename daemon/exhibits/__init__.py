"""What a test rested on, made for people to look at: drawn, listed and told step by step, whatever stands in it."""

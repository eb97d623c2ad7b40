"""Drivers turn devices into readings and know nothing else; one file a kind."""

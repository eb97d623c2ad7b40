"""Simulated devices that speak the real protocols; none of them knows a driver."""

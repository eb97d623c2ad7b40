"""The sounder of a station: a program of its own, on any computer, that hears of alerts over MQTT and sounds them."""

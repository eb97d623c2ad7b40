"""The bridge's view over MQTT 5: topics, publisher, commands."""

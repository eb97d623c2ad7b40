"""What ispsd has of the computer that it runs on: time, chance, journal, systemd, child processes, secrets."""

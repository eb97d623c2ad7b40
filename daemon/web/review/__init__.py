"""The SSO's pages as a browser gets them: what the daemon says, set into templates; nothing is known here."""

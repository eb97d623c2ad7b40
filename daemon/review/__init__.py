"""The pages of SSO and Master, on the daemon's side: who is logged in, what a page says, what is done."""

"""What people may do, and what may be asked over the control socket."""

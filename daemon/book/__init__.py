"""What people write into the record, amend, attach and review."""

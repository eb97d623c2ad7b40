"""What the electro-technical officer does: loop checks, contacts that are proved, units that were replaced."""

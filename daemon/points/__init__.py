"""What each sensor says now, whether its contact has been proved, and which check hears it."""

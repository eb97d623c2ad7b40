"""Alert rules (pure), the bridge alert life-cycle, and the catalogue they share."""

"""The port by which the ship's own bridge alert management shows and acknowledges what ispsd tells."""

"""The stations of the watch: which are attended, what they are shown, where it sounds, and who answers."""

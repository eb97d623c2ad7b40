"""One file a page: a module with ``PAGE`` in it is found by looking into this folder."""

"""``python -m simulators CONFIG.toml``: the ship's equipment, without the ship."""

import sys

from simulators.runner import main

sys.exit(main())

"""Which pages are there? Found by looking into their folder, so that adding one is one new file and its template."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import daemon.review.pages

if TYPE_CHECKING:
    from daemon.review.page import Page


def pages() -> dict[str, Page]:
    """Return every page by its name, in the order in which they are listed."""
    folder = daemon.review.pages
    modules = [
        importlib.import_module(f"{folder.__name__}.{info.name}")
        for info in pkgutil.iter_modules(folder.__path__)
    ]
    found: list[Page] = [module.PAGE for module in modules if hasattr(module, "PAGE")]
    return {page.name: page for page in sorted(found, key=lambda page: (page.order, page.name))}

"""What is there to do for SSO and Master? The list of ``ispsd worklist``, each line with where to see to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.review import entries
from daemon.review.page import Page
from daemon.review.remedies import remedy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import Json
    from daemon.review.reader import Reader


async def read(reader: Reader, _: Mapping[str, str]) -> Mapping[str, Json]:
    """Return the list as it stands."""
    items = (await reader.ask("worklist"))["items"]
    tests = (await reader.ask("tests"))["tests"]
    modes = {str(test["test"]): str(test["mode"]) for test in tests}
    forms = await entries.listed(reader)
    return {"items": [{**item, "remedy": remedy(item, modes, forms)} for item in items]}


PAGE = Page(name="worklist", title="Worklist", read=read, order=20)

"""Who may do what? The table of acts on the record, by role; acts on the watch have theirs beside them.

Source: the ship's own order of duties as in ISPS A/12 (SSO) and A/6.1 (Master); companies change it in their SSP.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from daemon.model import Role

if TYPE_CHECKING:
    from collections.abc import Mapping


class Act(StrEnum):
    """What is done to the record, in the words of a refusal: *may not …*."""

    ENTER = "make an entry in the security record"
    AMEND = "amend an entry"
    ATTACH = "attach a file to an entry"
    REVIEW = "review the record"
    VERIFY = "verify the record"
    EXPORT = "export the record"
    CREW = "change the crew list"
    SEGMENT = "begin a new segment"
    KEY = "change the key of the record"


COMMAND: Final = frozenset({Role.SSO, Role.MASTER})
MAY: Final[Mapping[Act, frozenset[Role]]] = {
    Act.ENTER: COMMAND,
    Act.AMEND: COMMAND,
    Act.ATTACH: COMMAND | {Role.OFFICER, Role.ETO},
    Act.REVIEW: frozenset({Role.SSO}),
    Act.VERIFY: frozenset({Role.MASTER}),
    Act.EXPORT: COMMAND,
    Act.CREW: COMMAND,
    Act.SEGMENT: COMMAND,
    Act.KEY: COMMAND,
}

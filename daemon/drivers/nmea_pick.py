"""Which sentences of a port that many speak on are this device's?

By talker (two letters of the address) and by source (``s:`` of a TAG block; on a shipboard network,
IEC 61162-450, the system function id). Sentences that a TAG block groups belong to one source, though
often only the first one names it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from daemon.drivers.tag_block import LONGEST_WORD
from daemon.drivers.tally import Noticed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from daemon.drivers.sentences import Sentence
    from daemon.drivers.tag_block import TagBlock
    from daemon.drivers.tally import Tally

SOURCE_PATTERN: Final = rf"^[!-)+\-.-\[\]-~]{{1,{LONGEST_WORD}}}$"
"""What a TAG block can carry as a source: no space, comma, asterisk or backslash."""
MOST_GROUPS = 32
"""Of which the source is remembered; the sentences of one come in a row."""


class Picker:
    """What is listened to on one port. Made anew for each connection."""

    def __init__(self, talkers: Iterable[str] = (), sources: Iterable[str] = ()) -> None:
        """Take who is listened to; none means all."""
        self._talkers = frozenset(talkers)
        self._sources = frozenset(sources)
        self._groups: dict[str, str] = {}

    def pick(self, sentence: Sentence, tally: Tally) -> Sentence | None:
        """Return a sentence, its source known where its group's is; None where it is another's."""
        if sentence.tag is not None:
            sentence = self._attributed(sentence, sentence.tag, tally)
        if self._talkers and sentence.talker not in self._talkers:
            return None
        if self._sources and (sentence.tag is None or sentence.tag.source not in self._sources):
            return None
        return sentence

    def _attributed(self, sentence: Sentence, tag: TagBlock, tally: Tally) -> Sentence:
        if not tag.is_intact:
            tally.notice(Noticed.TAG_CHECKSUM)
        if tag.group is None:
            return sentence
        if tag.source is not None:
            if len(self._groups) >= MOST_GROUPS:
                del self._groups[next(iter(self._groups))]
            self._groups[tag.group.id] = tag.source
            return sentence
        if tag.group.number == 1:  # a new group, of a source that it does not tell
            self._groups.pop(tag.group.id, None)
        source = self._groups.get(tag.group.id)
        return replace(sentence, tag=replace(tag, source=source))

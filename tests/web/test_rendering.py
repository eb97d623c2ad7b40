"""The SSO's pages are compiled before the first of them is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment

from daemon.web.review.rendering import Templates

if TYPE_CHECKING:
    import pytest


def test_no_page_is_compiled_while_somebody_waits_for_it(monkeypatch: pytest.MonkeyPatch):
    templates = Templates()

    def compiled(*_: object, **__: object) -> None:
        raise AssertionError("compiled late")

    monkeypatch.setattr(Environment, "compile", compiled)
    page = templates.made(
        "fault", palette="day", ship="KESTREL STRAIT", simulated=False, reason="it is <so>"
    )
    assert "it is &lt;so&gt;" in page

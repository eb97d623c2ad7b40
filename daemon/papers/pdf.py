"""How does a paper become PDF/A? Typst sets it, from data alone; segno draws the QR code of the checkpoint.

The same paper gives the same bytes: its date is the record's, its fonts are Typst's own, and nothing is asked of this
computer. PDF/A-2b (ISO 19005-2): every font inside, no link, readable in twenty years; Typst refuses what breaks it.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Final

from daemon.assets import asset
from daemon.errors import IspsdError
from daemon.papers import layout

if TYPE_CHECKING:
    from daemon.papers.layout import Paper

STANDARD: Final = "a-2b"
TEMPLATE: Final = "papers/paper.typ"
QUIET_ZONE: Final = 4
"""Modules of white around a QR code (ISO/IEC 18004 6.3.8)."""


def rendered(paper: Paper) -> tuple[bytes, int]:
    """Return the PDF and how many pages it has.

    Raises:
        IspsdError: Typst is not installed, or refuses.
    """
    try:
        import typst  # noqa: PLC0415 (an optional extra: only papers need it)
    except ImportError as err:
        raise IspsdError("PDF needs the extra 'papers': pip install 'ispsd[papers]'") from err
    template = asset(TEMPLATE)
    said = json.dumps(layout.data(paper, qr=qr_svg(paper.checkpoint)), ensure_ascii=False)
    try:
        compiler = typst.Compiler(
            template, root=template.parent, ignore_system_fonts=True, sys_inputs={"paper": said}
        )
        pdf = compiler.compile(format="pdf", pdf_standards=[STANDARD])
        pages = compiler.query("<pages>", field="value", one=True)
    except RuntimeError as err:
        raise IspsdError(f"the paper cannot be set: {err}") from err
    if not isinstance(pdf, bytes):
        raise IspsdError("the paper cannot be set: Typst gave no document")
    return pdf, int(json.loads(pages))


def qr_svg(text: str) -> str:
    """Return the QR code of a text as SVG; "" for none.

    Raises:
        IspsdError: segno is not installed.
    """
    if not text:
        return ""
    try:
        import segno  # noqa: PLC0415 (see rendered)
    except ImportError as err:
        raise IspsdError("PDF needs the extra 'papers': pip install 'ispsd[papers]'") from err
    drawn = io.BytesIO()
    code = segno.make(text, error="m", boost_error=False, micro=False)
    code.save(drawn, kind="svg", border=QUIET_ZONE, xmldecl=False)
    return drawn.getvalue().decode()

"""Where on this computer is it, wherever ispsd was started?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator


def _whole(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"{str(path)!r} is not a whole path, which begins with /")
    return path


WHOLE: Final = AfterValidator(_whole)
"""The service does not begin in the folder that the ship's file was written in."""
WholePath = Annotated[Path, WHOLE]

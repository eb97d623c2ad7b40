"""A person says of a camera that ispsd sees, too, that it shows what it should."""

from __future__ import annotations

from daemon.checks.api import Services
from daemon.checks.cctv_look import CHECK
from daemon.model import CameraState
from tests.checks.uniform.cctv import view
from tests.checks.uniform.stage import Stage, Uniform

SMALL = b"\xff\xd8 picture 1 \xff\xd9"


def looks(*answers: str, state: CameraState = CameraState.LIVE):
    async def play(stage: Stage) -> None:
        stage.says("c03.view", view(state))
        await stage.begins(item="c03")
        for step, answer in enumerate(answers, start=1):
            await stage.answers(step, answer)
        await stage.passes(600.0)

    return play


UNIFORM = Uniform(
    check=CHECK,
    config={"cameras": ["c03"], "play_back": True},
    services=lambda _: Services(name_of=lambda _: "POOP", picture=lambda _: SMALL),
    sat=looks("yes", "yes", "yes"),
    unsat={
        "not what it should show": looks("no", "yes", "yes"),
        "the wrong time": looks("yes", "no", "yes"),
        "not kept": looks("yes", "yes", "no"),
        "frozen all the same": looks("yes", "yes", "yes", state=CameraState.FROZEN),
    },
    unproven={
        "nobody answers": looks(),
        "nobody answers to the end": looks("yes", "yes"),
        "dark": looks("yes", "yes", "yes", state=CameraState.NIGHT),
    },
)

"""What becomes of a command of the panel: carried out, told again, refused, or not for us."""

from __future__ import annotations

import pytest

from daemon.bam.commands import Do, Ignore, Refuse, Rights, Tell, Verb, decide
from daemon.bam.settings import Category
from tests.bam.rig import acn, alert

RIGHTS = Rights("XXX", Category.ANYWHERE, is_alone=True, may_take_over=True)
ONLY_SHOWN = Rights("XXX", Category.HERE, is_alone=True, may_take_over=True)
ON_NETWORK = Rights("XXX", Category.ANYWHERE, is_alone=False, may_take_over=True)
UNSEEN = Rights("XXX", Category.ANYWHERE, is_alone=True, may_take_over=False)


@pytest.mark.parametrize(
    ("command", "state", "done"),
    [
        ("A", "V", Do),
        ("A", "S", Do),
        ("A", "U", Do),
        ("A", "A", Tell),
        ("A", "O", Refuse),
        ("O", "V", Do),
        ("O", "S", Do),
        ("O", "O", Tell),
        ("O", "A", Refuse),
        ("O", "U", Refuse),
        ("S", "V", Do),
        ("S", "S", Tell),
        ("S", "A", Tell),
        ("Q", "V", Tell),
        ("Q", "A", Tell),
        ("Q", "O", Tell),
    ],
)
def test_each_command_in_each_state(command, state, done):
    one = alert(state=state)
    decision = decide(acn(command), [alert(2), one], RIGHTS)
    assert isinstance(decision, done)
    if isinstance(decision, Do | Tell):
        assert decision.alerts == (one,)


@pytest.mark.parametrize("command", ["A", "O", "S"])
def test_a_caution_is_neither_acknowledged_nor_transferred_nor_silenced(command):
    assert isinstance(decide(acn(command), [alert(state="A", priority="C")], RIGHTS), Refuse)


@pytest.mark.parametrize("command", ["A", "O"])
def test_row_5_what_is_acknowledged_here_only_is_refused_to_the_panel(command):
    assert isinstance(decide(acn(command), [alert()], ONLY_SHOWN), Refuse)
    assert isinstance(decide(acn("S"), [alert()], ONLY_SHOWN), Do)


@pytest.mark.parametrize("command", ["A", "O", "S", "Q"])
def test_row_5_an_unknown_number_or_instance_is_refused(command):
    for unknown in (acn(command, number=10012), acn(command, instance=3)):
        assert isinstance(decide(unknown, [alert()], RIGHTS), Refuse)


@pytest.mark.parametrize("instance", [None, 0])
def test_alerts_are_acknowledged_and_taken_over_one_by_one(instance):
    for command in "AO":
        for meant in (acn(command, instance=instance), acn(command, 0, 0, maker="")):
            assert isinstance(decide(meant, [alert()], RIGHTS), Refuse)


@pytest.mark.parametrize("instance", [None, 0])
def test_number_0_means_all_for_request_and_silence(instance):
    alerts = [alert(1), alert(2, "A"), alert(3, "A", priority="C")]
    all_ = acn("Q", 0, instance, maker="")
    assert decide(all_, alerts, RIGHTS) == Tell(tuple(alerts))
    silence = acn("S", 0, instance, maker="")
    assert decide(silence, alerts, RIGHTS) == Do(Verb.SILENCE, (alerts[0],))


def test_a_request_or_silence_without_instance_means_every_one_of_that_number():
    alerts = [alert(1), alert(2), alert(3, number=10012)]
    assert decide(acn("Q", instance=0), alerts, RIGHTS) == Tell((alerts[0], alerts[1]))
    done = decide(acn("S", instance=None), alerts, RIGHTS)
    assert done == Do(Verb.SILENCE, (alerts[0], alerts[1]))


@pytest.mark.parametrize("maker", ["", "YYY"])
def test_a_command_for_somebody_else_s_alert_is_refused_on_our_own_line_only(maker):
    assert isinstance(decide(acn("A", maker=maker), [alert()], RIGHTS), Refuse)
    assert isinstance(decide(acn("A", maker=maker), [alert()], ON_NETWORK), Ignore)


def test_without_its_status_flag_a_command_is_a_report_and_nothing_is_done():
    assert isinstance(decide(acn("A", is_command=False), [alert()], RIGHTS), Ignore)


def test_nothing_is_handed_over_to_a_panel_whose_loss_cannot_be_seen():
    assert isinstance(decide(acn("O"), [alert()], UNSEEN), Refuse)

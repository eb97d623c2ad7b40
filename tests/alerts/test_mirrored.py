"""What another system annunciates is mirrored: shown, at most as a caution; never sounded, promoted or told again.

Side doors (DOR), the AIS set's own alerts (ALR), BNWAS, VDR and GMDSS.
"""

from __future__ import annotations

import itertools

import pytest

from daemon import config
from daemon.alerts import alterations, policy
from daemon.alerts.catalogue import LOUDNESS
from daemon.alerts.rules.openings import OpeningRule
from daemon.assets import asset
from daemon.fitting import rulebook
from daemon.model import OpeningKind, Priority, Regime, SecurityLevel, Situation
from tests.alerts.rig import KINDS, UNIT, advance, engine, the

REGIMES = [
    Regime(situation, level, threat=threat, night=night)
    for situation, level, threat, night in itertools.product(
        Situation, SecurityLevel, (False, True), (False, True)
    )
]
MIRRORED = sorted(alterations.MIRRORED)
"""Keys that repeat what the set says itself."""
HOURS_S = 6 * 3600.0
SAID = ("alerts",)


@pytest.mark.parametrize("key", MIRRORED)
def test_a_mirrored_alert_is_a_caution_at_most_in_every_situation_level_and_threat(key):
    assert {KINDS[key].letter(regime) for regime in REGIMES} <= set(
        LOUDNESS[: LOUDNESS.index(Priority.CAUTION) + 1]
    )


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("key", MIRRORED)
def test_a_mirrored_alert_never_sounds_and_is_never_promoted_however_long_it_stands(key, regime):
    alerts = engine(regime)
    alerts.condition(key, UNIT, active=True, now_s=0.0)
    now_s = 0.0
    while now_s < HOURS_S:
        advance(alerts, now_s)
        for alert in alerts.alerts():
            assert (alert.priority, alert.sounding) == (Priority.CAUTION, False)
            assert alert.escalation == 0
        now_s += 30.0
    if regime.situation is not Situation.YARD:
        assert the(alerts, key, UNIT.id).priority is Priority.CAUTION


def test_no_rule_of_the_sample_ship_watches_a_side_door_or_anothers_alert():
    """They are points and nothing more: BNWAS, VDR and the satellite terminal, and the two side doors."""
    ship = config.load(asset("ispsd.toml"))
    mirrored = {o.id for o in ship.openings if o.kind is OpeningKind.SIDE_DOOR}
    alerting = {d.id for d in ship.devices if getattr(d.config, "feed", None) == "equipment"}
    assert len(mirrored) == 2
    assert len(alerting) == 3
    points = {*mirrored, *(f"{device}.{name}" for device in alerting for name in SAID)}
    rules = list(
        rulebook.rules(
            ship,
            policy=policy.load(asset("policy.toml")),
            points=sorted(points),
            valid_for_s=lambda _: 60.0,
            holds=lambda _key, _source: False,
        )
    )
    heard = {point for rule in rules for point in rule.points}
    assert not heard & points
    ruled = {rule.opening.id for rule in rules if isinstance(rule, OpeningRule)}
    assert not ruled & mirrored

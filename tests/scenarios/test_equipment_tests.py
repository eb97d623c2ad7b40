"""Each kind of equipment test through the whole daemon: people led by the station, evidence by the drivers, one row."""

from __future__ import annotations

from functools import partial

from tests.voyage import FINE_S, sailing


def results(ship, test):
    """Return the rows of one test: outcome and reason, oldest first."""
    said = [entry.open for entry in ship.of_type("test.result") if entry.open["test"] == test]
    return [(row["outcome"], row["reason"]) for row in said]


async def test_a_door_is_proved_by_a_person_who_opens_and_closes_it(tmp_path):
    async with sailing(tmp_path) as ship:
        said = await ship.lead(
            "t-door",
            "M. Petrov",
            (partial(ship.move, "open", "d10"), ""),
            (partial(ship.move, "close", "d10"), ""),
            (None, "yes"),
            item="d10",
        )
        assert (said["outcome"], said["mode"]) == ("passed", "assisted")
        assert said["reason"].endswith("told")
        assert [alert.title for alert in ship.alerts()] == ["ESC HATCH OPEN"], (
            "the station was told"
        )


async def test_a_door_that_nobody_sees_move_is_unsat(tmp_path):
    async with sailing(tmp_path) as ship:
        said = await ship.lead("t-door", "M. Petrov", (None, ""), item="d10")
        assert (said["outcome"], said["reason"]) == ("failed", "d10: not seen open in time")


async def test_a_seal_round_wants_the_numbers_and_whole_loops(tmp_path):
    async with sailing(tmp_path) as ship:
        good = await ship.lead(
            "t-seal", "J. Santos", (None, "KS0102 KS0101"), (None, ""), (None, "KS0103")
        )
        assert good["outcome"] == "passed"
        await ship.move("open", "s03")
        await ship.sail(2.0, grain_s=FINE_S)
        bad = await ship.lead(
            "t-seal", "J. Santos", (None, "KS0101 KS0102"), (None, ""), (None, "KS0199")
        )
        assert bad["outcome"] == "failed"
        assert "loop s03 not whole" in bad["reason"]
        assert "tank and boats: 1 not found, 1 not in the register" in bad["reason"]


async def test_a_numbered_seal_has_its_newest_number_in_the_next_round(tmp_path):
    async with sailing(tmp_path) as ship:
        for seal, number in (("n03", "KS0210"), ("n03", "KS0211")):
            done = {"do": "seal", "alert": seal, "number": number, "by": "J. Santos"}
            assert (await ship.ask(done))["recorded"] is not None
        said = await ship.lead(
            "t-seal", "J. Santos", (None, "KS0101 KS0102"), (None, ""), (None, "KS0211")
        )
        assert said["outcome"] == "passed"
        assert ship.entry_types()["seal.renumbered"] == 2
        assert not [m for m in ship.of_type("seal.renumbered") if '"class":"watch"' in m.body]


async def test_motion_detectors_are_walked_and_told_within_five_seconds(tmp_path):
    async with sailing(tmp_path) as ship:
        said = await ship.lead(
            "t-pir",
            "M. Petrov",
            (partial(ship.move, "open", "m01"), ""),
            (partial(ship.move, "close", "m01"), "yes"),
            (partial(ship.move, "open", "m02"), ""),
            (partial(ship.move, "close", "m02"), "yes"),
        )
        assert said["outcome"] == "passed"
        assert [a.title for a in ship.alerts()] == ["INTRUDER DETECT", "INTRUDER DETECT"]


async def test_the_station_sound_is_heard_at_each_station_or_not(tmp_path):
    async with sailing(tmp_path) as ship:
        said = await ship.lead("t-buzz", "M. Petrov", (None, "yes"), (None, "no"), (None, "yes"))
        assert (said["outcome"], said["reason"]) == ("failed", "not heard at gangway")


async def test_a_manual_test_is_the_word_of_a_person(tmp_path):
    async with sailing(tmp_path) as ship:
        said = await ship.lead("t-uhf", "J. Santos", (None, "SAT all six readable"))
        assert (said["outcome"], said["mode"]) == ("passed", "manual")
        assert said["reason"] == "said by J. Santos: all six readable"


async def test_the_alert_path_fails_with_the_broker_and_passes_when_it_is_back(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.sail(30.0)
        assert results(ship, "t-path")[-1][0] == "passed"
        await ship.lose_broker()
        await ship.sail(640.0)
        assert results(ship, "t-path")[-1][0] == "failed"
        await ship.regain_broker()
        await ship.sail(320.0)
        assert results(ship, "t-path")[-1][0] == "passed"
        assert len(results(ship, "t-path")) <= 4


async def test_own_ais_report_and_gnss_are_judged_by_what_is_heard(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.sail(600.0)
        assert results(ship, "t-gnss") == [("passed", "2 receivers agree within 11 m")]
        ((outcome, reason),) = results(ship, "t-ais")
        assert (outcome, reason.partition(" own ")[2]) == (
            "passed",
            "reports, identity as register",
        )
        await ship.type("ais identity mmsi=299000020")
        await ship.type("gps1 jump north_m=3000")
        await ship.sail(120.0)
        outcome, reason = results(ship, "t-ais")[-1]
        assert outcome == "failed"
        assert "299000020" in reason
        assert results(ship, "t-gnss")[-1][0] == "failed"


async def test_a_receiver_that_is_off_for_twenty_seconds_is_no_row_in_the_log(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.sail(120.0)
        before = results(ship, "t-gnss")
        for _ in range(3):
            await ship.type("gps2 silence")
            await ship.sail(20.0, grain_s=1.0)
            await ship.type("gps2 resume")
            await ship.sail(100.0)
        assert results(ship, "t-gnss") == before


async def test_the_record_is_verified_by_the_daemon_itself(tmp_path):
    async with sailing(tmp_path) as ship:
        await ship.until(lambda: results(ship, "t-rec"), for_s=600.0)
        ((outcome, reason),) = results(ship, "t-rec")
        assert (outcome, reason.partition(":")[0]) == ("passed", "PASS")


async def test_doors_that_are_used_need_nobody(tmp_path):
    # 2358 ship's time: the ship's day ends in two minutes.
    async with sailing(tmp_path) as ship:
        ship.clock.step_utc((13 * 60 + 48) * 60.0)
        await ship.sail(10.0)
        for door in ("d04", "d08", "d09"):
            await ship.move("open", door)
            await ship.sail(5.0, grain_s=FINE_S)
            await ship.move("close", door)
            await ship.sail(5.0, grain_s=FINE_S)
        await ship.sail(180.0)
        rows = [row for row in results(ship, "t-door") if row[1].startswith("in service")]
        assert rows == [("passed", "in service: 3 doors, 1 cycle")]

"""What a dashboard sees of a publisher that lives well, over both brokers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.brokers import address
from tests.mqtt.harness import FAST, POINT, TOPICS, connected, dashboard, publishing

if TYPE_CHECKING:
    from daemon.mqtt.embedded import EmbeddedBroker

D12 = TOPICS.point("d12")


async def test_a_session_goes_from_starting_over_all_state_and_the_snapshot_to_ready(
    broker: EmbeddedBroker,
) -> None:
    # A broker that sends us our own words back may do so late: "ready" is then told once more.
    unrepaired = replace(FAST, repair_s=60.0)
    async with dashboard(address(broker)) as page:
        async with publishing(broker, timing=unrepaired) as running:
            for number in range(30):
                running.publisher.put(TOPICS.point(f"d{number}"), POINT, 1.0)
            session = await page.session()
        await page.until(lambda: page.states()[-1] == "stopped")
    told = [m.topic for m in page.seen if m.topic != TOPICS.heartbeat()]
    assert told == [
        TOPICS.status(),
        *(TOPICS.point(f"d{number}") for number in range(30)),
        TOPICS.snapshot(),
        TOPICS.status(),
        TOPICS.status(),
    ]
    assert page.states() == ["starting", "ready", "stopped"]
    assert page.newest(TOPICS.snapshot())["count"] == 30
    assert {json.loads(m.payload)["session"] for m in page.seen} == {session}


async def test_a_second_session_too_tells_status_first_and_the_snapshot_after_all_state(
    broker: EmbeddedBroker,
) -> None:
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        running.publisher.put(D12, POINT, 1.0)
        first = await page.session()
        await running.drained()
        running.publisher.put(TOPICS.point("d13"), POINT, 1.0)
        await running.drained()
        session = running.publisher._session
        assert session is not None
        session.connection.give_up("cut by the test")
        await running.until(lambda facts: facts.connected and facts.session != first)
        await running.drained()
        second = running.publisher.facts().session
        await page.until(lambda: page.newest(TOPICS.status()).get("session") == second)
        await page.until(lambda: page.newest(TOPICS.status()).get("state") == "ready")
    told = [m.topic for m in page.seen if str(second).encode() in m.payload]
    wanted = [TOPICS.status(), D12, TOPICS.point("d13"), TOPICS.snapshot(), TOPICS.status()]
    assert [topic for topic in told if topic in wanted][:5] == wanted


async def test_peers_6_after_each_reconnect_it_says_first_who_it_is_and_in_which_session(
    broker: EmbeddedBroker,
) -> None:
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        sessions = [await page.session()]
        for _ in range(3):
            live = running.publisher._session
            assert live is not None
            live.connection.give_up("cut by the test")
            await page.until(lambda: page.newest(TOPICS.status()).get("session") not in sessions)
            sessions.append(await page.session())
    assert len(set(sessions)) == 4
    for session in sessions:
        of_it = [m for m in page.seen if session.encode() in m.payload]
        first = next(m for m in of_it if m.topic != TOPICS.heartbeat())
        assert first.topic == TOPICS.status()
        said = json.loads(first.payload)
        assert said["state"] == "starting"
        assert (said["ship"]["imo"], said["version"]) == (9074729, "26.1")


async def test_a_page_that_comes_later_finds_all_state_retained_with_its_own_age(
    broker: EmbeddedBroker,
) -> None:
    async with publishing(broker) as running:
        running.publisher.put(D12, POINT, 1234.56789)
        await running.drained()
        async with dashboard(address(broker)) as page:
            session = await page.session()
            assert page.bodies(D12) == [{**POINT, "session": session, "up": 1234.568}]
            assert all(m.retained for m in page.seen if m.topic in {D12, TOPICS.status()})


async def test_a_change_goes_out_at_once_and_a_removed_point_is_cleared(
    broker: EmbeddedBroker,
) -> None:
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        await page.session()
        running.publisher.put(D12, {**POINT, "value": "open"}, 5.0)
        await page.until(lambda: page.newest(D12).get("value") == "open")
        running.publisher.remove(D12)
        await page.until(lambda: page.bodies(D12)[-1] == {})
        await running.drained()
        async with dashboard(address(broker), "late") as late:
            await late.session()
            assert late.bodies(D12) == []


async def test_the_end_of_an_alert_is_told_and_only_then_forgotten(broker: EmbeddedBroker) -> None:
    topic = TOPICS.alert("a1")
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        await page.session()
        running.publisher.put(topic, {"state": "V"}, 5.0)
        running.publisher.put(topic, {"state": "N"}, 6.0, last=True)
        await page.until(lambda: len(page.bodies(topic)) >= 2 and not page.newest(topic))
    assert page.bodies(topic)[-2]["state"] == "N"


async def test_five_thousand_changes_of_one_point_cost_a_few_messages_and_the_last_one_wins(
    broker: EmbeddedBroker,
) -> None:
    async with dashboard(address(broker)) as page, publishing(broker) as running:
        await page.session()
        for number in range(5000):
            running.publisher.put(D12, {**POINT, "value": float(number)}, 5.0)
        await running.drained()
        await page.until(lambda: page.newest(D12).get("value") == 4999.0)
        assert len(page.bodies(D12)) <= 3


async def test_heartbeats_come_with_time_that_goes_on_and_are_not_retained(
    broker: EmbeddedBroker,
) -> None:
    async with publishing(broker) as running, dashboard(address(broker)) as page:
        await page.until(lambda: len(page.bodies(TOPICS.heartbeat())) >= 3)
        ups = [body["up"] for body in page.bodies(TOPICS.heartbeat())]
        assert ups == sorted(set(ups))
        assert not any(m.retained for m in page.seen if m.topic == TOPICS.heartbeat())
        before = running.publisher.facts().progress
        await page.until(lambda: running.publisher.facts().progress > before)


async def test_what_others_left_under_our_name_is_cleared_also_where_only_the_sso_reads(
    broker: EmbeddedBroker,
) -> None:
    orphans = [TOPICS.point("old"), TOPICS.root + "/sso/point/old", TOPICS.root + "/citadel/x/y"]
    async with connected(address(broker), "earlier") as earlier:
        for topic in orphans:
            await earlier.deliver(topic, b'{"session":"earlier","up":1.0}', retain=True)
    async with publishing(broker) as running:
        async with dashboard(address(broker)) as page:
            await page.session()
            await page.until(lambda: all(not page.newest(topic) for topic in orphans))
        await running.drained()
        async with dashboard(address(broker), "late") as late:
            await late.session()
            assert not [m.topic for m in late.seen if m.topic in orphans]


async def test_a_topic_of_ours_that_somebody_overwrites_or_clears_is_filled_again(
    broker: EmbeddedBroker,
) -> None:
    async with (
        publishing(broker) as running,
        dashboard(address(broker)) as page,
        connected(address(broker), "intruder") as intruder,
    ):
        session = await page.session()
        truth = {**POINT, "session": session, "up": 5.0}
        running.publisher.put(D12, POINT, 5.0)
        await page.until(lambda: page.newest(D12) == truth)
        for number, lie in enumerate(
            (json.dumps({**truth, "value": "open"}).encode(), b"", b"x" * 20_000), 1
        ):
            await intruder.deliver(D12, lie, retain=True)
            await running.until(lambda facts, times=number: facts.overwritten >= times)
            await running.drained()
        async with dashboard(address(broker), "late") as late:
            await late.session()
            assert late.newest(D12) == truth
        assert running.publisher.facts().overwritten == 3


async def test_peers_19_a_will_of_an_old_session_does_not_stay_over_the_new_status(
    broker: EmbeddedBroker,
) -> None:
    async with publishing(broker) as running, dashboard(address(broker)) as page:
        session = await page.session()
        async with connected(address(broker), "late-will") as ghost:
            await ghost.deliver(
                TOPICS.status(),
                b'{"state":"offline","session":"of-yesterday","up":1.0}',
                retain=True,
            )
        await page.until(lambda: page.states()[-2:] == ["offline", "ready"])
        await running.drained()
        assert page.newest(TOPICS.status())["session"] == session


async def test_nothing_of_class_sso_is_told_or_counted_on_an_open_topic(
    broker: EmbeddedBroker,
) -> None:
    async def open_bytes(*, with_sso: bool) -> list[tuple[str, bytes]]:
        async with dashboard(address(broker)) as page, publishing(broker) as running:
            if with_sso:
                running.publisher.put(TOPICS.worklist(), {"items": []}, 1.0)
                running.publisher.put(
                    TOPICS.root + "/sso/driver/ssas", {"open": False, "since": None}, 1.0
                )
            running.publisher.put(D12, POINT, 1.0)
            session = await page.session()
            await running.drained()
            seen = [m for m in page.seen if not m.retained or m.payload]
            return [
                (m.topic, m.payload.split(b'"up":')[0].replace(session.encode(), b"S"))
                for m in seen
                if "/sso/" not in m.topic
                and m.topic != TOPICS.heartbeat()
                and session.encode() in m.payload
            ]

    without = await open_bytes(with_sso=False)
    assert len(without) == 4
    assert await open_bytes(with_sso=True) == without

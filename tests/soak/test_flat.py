"""A leak is seen through noise, and noise is no leak."""

from __future__ import annotations

import random

import pytest

from tests.soak.flat import (
    FEWEST_SAMPLES,
    MOST_SAMPLES,
    Bound,
    floors,
    judged,
    plot,
    slope,
    thinned,
)

MOST = Bound(1000.0, "for a test")
EVERY_S = 5.0


def series(count, per_s=0.0, *, noise=0.0, seed=1):
    chance = random.Random(seed)
    return [
        (n * EVERY_S, 70_000 + per_s * n * EVERY_S + chance.uniform(-noise, noise))
        for n in range(count)
    ]


@pytest.mark.parametrize(
    ("per_s", "flat"), [(0.0, True), (0.9, True), (1.1, False), (-5.0, True), (20.0, False)]
)
def test_the_slope_over_the_time_decides(per_s, flat):
    verdict = judged("rss", series(201, per_s), warm_up_s=0.0, bound=MOST)
    assert verdict.over_s == 1000.0
    assert verdict.is_flat is flat
    assert ("NOT FLAT" in str(verdict)) is not flat


def test_a_leak_is_seen_through_noise_that_is_greater_than_it():
    verdict = judged("rss", series(240, 3.0, noise=3000), warm_up_s=180.0, bound=MOST)
    assert not verdict.is_flat


def test_noise_and_one_wrong_sample_in_five_are_no_leak():
    samples = series(240, noise=300)
    samples[::5] = [(at_s, value + 50_000) for at_s, value in samples[::5]]
    assert judged("rss", samples, warm_up_s=180.0, bound=MOST).is_flat


def test_what_is_used_at_the_start_is_no_leak():
    samples = [(at_s, min(at_s, 170.0) * 100) for at_s, _ in series(200)]
    assert judged("rss", samples, warm_up_s=180.0, bound=MOST).is_flat
    assert not judged("rss", samples[:60], warm_up_s=0.0, bound=MOST).is_flat


@pytest.mark.parametrize("count", [0, 1, FEWEST_SAMPLES - 1])
def test_what_was_hardly_seen_is_not_flat(count):
    assert slope(series(count)) is None
    assert not judged("rss", series(count), warm_up_s=0.0, bound=MOST).is_flat


def test_what_is_collected_each_minute_is_judged_by_what_is_left():
    saw = [(n * EVERY_S, 60_000 + (n * 7919) % 50_000 * (n % 6 != 0)) for n in range(240)]
    assert {value for _, value in floors(saw, 60.0)} == {60_000}
    leak = [(at_s, value + at_s * 4) for at_s, value in saw]
    assert not judged("rss", floors(leak, 60.0), warm_up_s=180.0, bound=MOST).is_flat


def test_many_samples_are_thinned_to_some_of_them_with_the_first_and_the_last():
    samples = series(5000)
    few = thinned(samples, MOST_SAMPLES)
    assert len(few) == MOST_SAMPLES
    assert (few[0], few[-1]) == (samples[0], samples[-1])
    assert thinned(samples[:7], MOST_SAMPLES) == samples[:7]


def test_a_plot_rises_where_the_figure_does():
    assert plot([(n, n) for n in range(8)], width=8) == "▁▂▃▄▅▆▇█"
    assert plot([(0, 1), (3, 1)], width=4) == "▁  ▁"
    assert plot([]) == ""

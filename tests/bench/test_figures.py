"""How the bench counts: histograms, medians of rounds, paired ratios, claims, and the page it writes."""

import json
import random
from pathlib import Path
from xml.etree import ElementTree

import pytest
from bench.compare import change
from bench.figures import Claim, Figure, Result, at_least, at_most, ratio, run_of
from bench.histogram import Histogram, bucket
from bench.pictures import bars, curves, lines
from bench.report import kept
from bench.scenarios.paced import arrivals

from bench import doc, report


def figure(name: str, *rates: int) -> Figure:
    made = Figure(name)
    for rate in rates:
        made.add(run_of([0.002] * rate, 1))
    return made


def test_buckets_are_exact_below_two_milliseconds_and_never_wider_than_a_thousandth() -> None:
    assert [bucket(us) for us in (0, 1, 2047)] == [0, 1, 2047]
    source = random.Random(1)
    for us in (source.randrange(2048, 10**9) for _ in range(1000)):
        assert 0 <= us - bucket(us) <= us / 1000


def test_a_share_of_latencies() -> None:
    found = Histogram().note(number / 1_000_000 for number in range(1, 1001))
    assert (found.ms(0.5), found.ms(0.99), found.ms(1)) == (0.5, 0.99, 1.0)
    assert Histogram().ms(0.99) == 0


def test_two_histograms_add_up() -> None:
    one, other = Histogram().note([0.001, 0.001]), Histogram().note([0.001, 5.0])
    one.add(other)
    assert one.total == 4
    assert one.counts[1000] == 3


def test_ratios_are_made_round_by_round() -> None:
    # A machine that was twice as fast in the second round was so for both.
    assert ratio(figure("ours", 100, 200, 90), figure("theirs", 50, 100, 90)) == [2, 2, 1]


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        (at_least("fast", [1.0, 3.0, 2.0], 2), True),
        (at_least("fast", [1.0, 3.0, 1.9], 2), False),
        (at_most("small", [1.0, 3.0, 2.0], 2), True),
        (at_most("small", [2.1, 3.0, 2.0], 2), False),
    ],
)
def test_a_claim_holds_by_its_median(claim: Claim, holds: bool) -> None:
    assert claim.holds is holds
    assert claim.lowest <= claim.found <= claim.highest


def test_arrivals_come_at_random_and_in_order() -> None:
    found = arrivals(1000, 2, random.Random(1))
    assert found == sorted(found) == arrivals(1000, 2, random.Random(1))
    assert 1800 < len(found) < 2200


def test_the_page_says_what_does_not_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    ours, theirs = figure("ours <&>", 100, 120), figure("theirs", 90, 95)
    ours.measures["server CPU s per 1,000"] = [0.1, 0.2]
    claims = [at_least("ours / theirs", ratio(ours, theirs), 2)]
    result = Result("one", "One scenario", [ours, theirs], claims, "A note.", ["nothing: not here."])
    report.save([result], "found", "2026-01-01", "a machine", "2 rounds of 1 s.")
    page = (tmp_path / "found.md").read_text()
    assert "| ours / theirs | 1.19 | 1.11–1.26 | ≥ 2 | **does not hold** |" in page
    assert "nothing: not here." in page
    document = json.loads((tmp_path / "found.json").read_text())
    assert document["results"][0]["figures"][0]["rates"] == [100, 120]
    for picture in (tmp_path / "found").iterdir():
        ElementTree.fromstring(picture.read_text())
    assert len(list((tmp_path / "found").iterdir())) == 2


def test_pictures_are_well_formed_without_latencies_too() -> None:
    empty = Figure("nothing timed")
    empty.add(run_of([], 1))
    result = Result("one", "One", [empty], [])
    grown = lines("charges", "entries", {"hot": [(1e4, 5000), (1e7, 4800)], "spread": [(1e4, 4000), (1e7, 3500)]})
    for picture in (bars(result), curves(result), grown):
        ElementTree.fromstring(picture)


def test_a_change_is_shown_only_where_the_rounds_agree() -> None:
    assert change([1.1, 1.12, 1.09, 1.11, 1.1]).verdict == "faster"
    assert change([0.9, 0.88, 0.93, 0.9, 0.91]).verdict == "slower"
    assert change([0.8, 1.3, 1.1, 0.9, 1.0]).verdict == "no difference shown"
    assert change([2.0, 0.5]).ratio == pytest.approx(1)


def test_the_page_about_performance_is_made_of_what_is_kept() -> None:
    page = doc.PAGE.read_text()
    assert doc.renewed(page, [*kept("latest"), *kept("growth")]) == page, "run: python -m bench.doc"
    assert "| " in page.split("<!-- claims: made by")[1].split("<!-- claims: end")[0]

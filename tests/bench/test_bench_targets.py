"""What is said of a table of scores: facts, whatever they are."""

from __future__ import annotations

from scores import compared

from measure.targets import PEERS, gap_table, gaps, lead_table, leads, target_table, targets

GOOD = [compared("a", vigie=1.1), compared("b", vigie=1.2)]
BAD = [compared("a", vigie=1.1), compared("b", vigie=1.9)]


def verdicts(results: list) -> list[str]:
    return [line.rsplit(maxsplit=1)[1] for line in list(target_table(results))[1:]]


def test_targets_that_are_reached_are_met() -> None:
    """All four."""
    assert verdicts(GOOD) == ["met"] * 4


def test_a_bad_score_misses_what_it_should() -> None:
    """The mean, the worst and the gap; every peer is still beaten somewhere."""
    assert verdicts(BAD) == ["missed", "missed", "missed", "met"]
    _, worst, gap, _ = targets(BAD)
    assert worst.reached == "1.900 on b"
    assert gap.reached == f"+0.500 on b ({PEERS[0]})"


def test_a_limit_that_is_just_kept_is_kept() -> None:
    """At most means at most."""
    assert targets([compared("a", vigie=1.2, others=1.1)])[0].met
    assert not targets([compared("a", vigie=1.2001, others=1.1)])[0].met
    assert targets([compared("a", vigie=1.1, others=1.4)])[3].met


def test_a_peer_that_is_never_beaten_clearly_is_named() -> None:
    """Though all the others are."""
    one = compared("a", vigie=1.1, others=1.5, **{PEERS[1]: 1.3})
    last = targets([one])[-1]
    assert not last.met
    assert PEERS[1] in last.reached


def test_the_best_peer_of_each_trace_is_found() -> None:
    """No fixed threshold is a peer, and none in hindsight."""
    one = compared("a", vigie=1.3, others=1.6, **{PEERS[2]: 1.25, "fixed 5 s": 1.0, "best fixed": 1.0})
    (gap,) = gaps([one])
    assert (gap.peer, gap.best) == (PEERS[2], 1.25)
    assert gap.behind == 0.05
    assert "+0.05" in list(gap_table([one]))[-1]


def test_the_largest_lead_over_each_rule_is_found() -> None:
    """With the trace on which it was."""
    results = [compared("a", vigie=1.3, others=1.4), compared("b", vigie=1.1, others=1.5)]
    assert {(lead.rule, lead.by, lead.trace) for lead in leads(results)} == {
        (peer, 0.4, "b") for peer in PEERS
    }
    lines = list(lead_table(results, ["fixed 5 s"]))
    assert len(lines) == 2 + len(PEERS) + 1


def test_the_peers_are_the_rules_of_other_systems() -> None:
    """In the order of the tables."""
    assert PEERS == ("keepalived", "three in a row", "pfSense", "OPNsense", "mwan3")

"""Rounds: a scenario's variants take turns, so that the machine's moods meet all of them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from msgspec import Struct

from bench.figures import Claim, Figure, Result, Run
from bench.ground import Ground, Say

Claims = Callable[[dict[str, Figure]], list[Claim]]


class Variant(Struct):
    """One way to do a thing, ready to be measured for as many seconds as it is told."""

    name: str
    run: Callable[[float], Run]
    once_s: float | None = None
    """Where it is not run in rounds but once, after them: for how long."""


class Stage(Struct):
    """What a scenario measures, set up: its variants, and what it says of their figures, by the variants' names."""

    title: str
    variants: Sequence[Variant]
    claims: Claims = lambda figures: []
    note: Callable[[dict[str, Figure]], str] = lambda figures: ""
    skipped: Sequence[str] = ()


Scenario = Callable[[Ground], AbstractContextManager[Stage]]
"""Sets a stage on the ground it is given, and clears it away. Its name is its function's."""


def measure(scenario: Scenario, ground: Ground, say: Say) -> Result:
    """Sets the stage, warms up, and runs every variant once a round; every second round runs backwards."""
    name, effort = name_of(scenario), ground.effort
    say(f"{name}: setting up")
    with scenario(ground) as stage:
        figures = {variant.name: Figure(variant.name) for variant in stage.variants}
        turns = [variant for variant in stage.variants if variant.once_s is None]
        for variant in turns if effort.warm_up_s else ():
            say(f"{name}, warming up: {variant.name}")
            variant.run(effort.warm_up_s)
        for number in range(effort.rounds):
            for variant in turns[:: -1 if number % 2 else 1]:
                say(f"{name}, round {number + 1} of {effort.rounds}: {variant.name}")
                figures[variant.name].add(variant.run(effort.seconds))
        for variant in stage.variants:
            if variant.once_s is not None:
                say(f"{name}, once, for {variant.once_s:g} s: {variant.name}")
                figures[variant.name].add(variant.run(variant.once_s))
        claims, note = stage.claims(figures) if figures else [], stage.note(figures)
        for figure in figures.values():
            figure.finish()
        return Result(name, stage.title, list(figures.values()), claims, note, list(stage.skipped))


def name_of(scenario: Scenario) -> str:
    """How it is asked for on the command line."""
    return str(getattr(scenario, "__name__", "scenario"))

"""Measures workloads side by side and prints their ratios.

The ways of one comparison take turns within every round, so that a machine that grows slower slows all of them alike.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

Run = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Way:
    """One way of doing a piece of work; `before` prepares every run of it and is not measured."""

    name: str
    run: Run
    before: Run = lambda: None


@dataclass(frozen=True, slots=True)
class Target:
    """What must hold: the rate of `way` is at least `share` of the rate of `baseline`."""

    way: str
    baseline: str
    share: float


@dataclass(slots=True)
class Bench:
    """What a workload is given: how many rounds, how much to shrink the work, and where to print."""

    rounds: int = 5
    shrink: int = 1
    console: Console = field(default_factory=Console)
    missed: list[str] = field(default_factory=list)

    def scaled(self, count: int) -> int:
        """Return a count made smaller in a quick run."""
        return max(1, count // self.shrink)

    def compare(self, title: str, *, unit: str, count: int, ways: Sequence[Way], target: Target) -> dict[str, float]:
        """Run every way once a round, print medians, rates and ratios, and return the median seconds by name."""
        seconds: dict[str, list[float]] = {way.name: [] for way in ways}
        for _ in range(self.rounds):
            for way in ways:
                way.before()
                start = time.perf_counter()
                way.run()
                seconds[way.name].append(time.perf_counter() - start)
        medians = {name: statistics.median(taken) for name, taken in seconds.items()}
        self.console.print(_table(title, unit, count, seconds, medians, target.baseline))
        reached = medians[target.baseline] / medians[target.way]
        self.expect(reached >= target.share, f"{target.way} reaches {reached:.0%} of {target.baseline}; {target.share:.0%} is wanted")
        return medians

    def expect(self, is_reached: bool, sentence: str) -> None:
        """Print whether a target is reached, and remember when it is not."""
        self.console.print(f"[{'green' if is_reached else 'red'}]{'reached' if is_reached else 'MISSED'}[/]  {sentence}", highlight=False)
        if not is_reached:
            self.missed.append(sentence)

    def note(self, sentence: str) -> None:
        """Print a remark under a table."""
        self.console.print(sentence, markup=False, highlight=False)


def _table(
    title: str, unit: str, count: int, seconds: dict[str, list[float]], medians: dict[str, float], baseline: str
) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading in ("way", "median", "fastest", "slowest", f"{unit}/s", f"of {baseline}"):
        table.add_column(heading, justify="left" if heading == "way" else "right", overflow="fold")
    for name, taken in seconds.items():
        numbers = (f"{medians[name]:.3f} s", f"{min(taken):.3f} s", f"{max(taken):.3f} s", f"{count / medians[name]:,.0f}")
        table.add_row(name, *numbers, f"{medians[baseline] / medians[name]:.0%}")
    return table

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
        """Run every way once a round, print medians, rates and ratios, and return the median seconds by name.

        A ratio is the median of the ratios within each round.
        """
        seconds: dict[str, list[float]] = {way.name: [] for way in ways}
        for _ in range(self.rounds):
            for way in ways:
                way.before()
                start = time.perf_counter()
                way.run()
                seconds[way.name].append(time.perf_counter() - start)
        medians = {name: statistics.median(taken) for name, taken in seconds.items()}
        shares = {name: _share(seconds[target.baseline], taken) for name, taken in seconds.items()}
        self.console.print(_table(title, unit, count, seconds, shares, target.baseline))
        reached = f"{target.way} reaches {shares[target.way]:.0%} of {target.baseline}; {target.share:.0%} is wanted"
        self.expect(shares[target.way] >= target.share, reached)
        return medians

    def expect(self, is_reached: bool, sentence: str) -> None:  # noqa: FBT001
        """Print whether a target is reached, and remember when it is not."""
        self.console.print(
            f"[{'green' if is_reached else 'red'}]{'reached' if is_reached else 'MISSED'}[/]  {sentence}",
            highlight=False,
        )
        if not is_reached:
            self.missed.append(sentence)

    def note(self, sentence: str) -> None:
        """Print a remark under a table."""
        self.console.print(sentence, markup=False, highlight=False)


def _share(baseline: Sequence[float], taken: Sequence[float]) -> float:
    """Return the median over the rounds of how fast a way was beside the baseline of the same round."""
    return statistics.median(one / other for one, other in zip(baseline, taken, strict=True))


def _table(
    title: str, unit: str, count: int, seconds: dict[str, list[float]], shares: dict[str, float], baseline: str
) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading in ("way", "median", "fastest", "slowest", f"{unit}/s", f"of {baseline}"):
        table.add_column(heading, justify="left" if heading == "way" else "right", overflow="fold")
    for name, taken in seconds.items():
        median = statistics.median(taken)
        numbers = (f"{median:.3f} s", f"{min(taken):.3f} s", f"{max(taken):.3f} s", f"{count / median:,.0f}")
        table.add_row(name, *numbers, f"{shares[name]:.0%}")
    return table

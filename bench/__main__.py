"""Runs the benchmarks: `python -m bench [--quick] [WORKLOAD ...]`.

A workload is a module here with a function `measure(bench)`.
"""

import argparse
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

from bench.fresh_database import fresh_database
from bench.harness import Bench

WORKLOADS = ("import_invoices", "remind", "confirm", "invoice_list", "portal_pay", "dashboard", "select_reminders")


def main() -> int:
    """Run the chosen workloads on a fresh database; return 1 when a target was missed."""
    present = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    known = [name for name in WORKLOADS if name in present]
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure the workloads beside their baselines."
    )
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"one or more of: {', '.join(known)}")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the work, once: does it run at all?")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.workloads) - set(known))
    if unknown:
        parser.error(f"there is no workload {', '.join(unknown)}")
    chosen = arguments.workloads or known
    if len(chosen) > 1:
        return max(_in_a_program_of_its_own(name, quick=arguments.quick) for name in chosen)
    bench = Bench(rounds=1, shrink=20) if arguments.quick else Bench()
    with fresh_database():
        importlib.import_module(f"bench.{chosen[0]}").measure(bench)
    return 1 if bench.missed and not arguments.quick else 0


def _in_a_program_of_its_own(name: str, *, quick: bool) -> int:
    # Each workload has a database to itself, and none measures with the memory of another.
    words = [sys.executable, "-m", "bench", name, *(["--quick"] if quick else [])]
    return subprocess.run(words, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

"""How soon do the commands that need no model answer? Processor seconds, and how many times those of an empty Python.

    python -m benchmarks.startup

Each is started in turn with the others and the best of its runs counts, so that other work on the machine falls on all alike.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

SCRIPT = Path(__file__).parents[1] / "examples" / "lighthouse" / "script.md"
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "storyboard --help": ["-m", "storyboard", "--help"],
    "storyboard plan": ["-m", "storyboard", "plan", str(SCRIPT)],
    "storyboard models list": ["-m", "storyboard", "models", "list"],
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    asked = parser.parse_args()
    spent: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(asked.runs):
        for name, words in COMMANDS.items():
            spent[name].append(_seconds(words))
    table = Table(title=f"best of {asked.runs} starts")
    table.add_column("")
    for column in ("processor seconds", "times python -c pass"):
        table.add_column(column, justify="right")
    empty = min(spent["python -c pass"])
    for name, runs in spent.items():
        table.add_row(name, f"{min(runs):.3f}", f"{min(runs) / empty:.1f}")
    Console(width=100).print(table)


def _seconds(words: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], capture_output=True, check=True)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()

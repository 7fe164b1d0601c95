"""What `import storyboard` gives, and what it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import storyboard


def test_every_public_name_is_there_and_nothing_else() -> None:
    assert sorted(storyboard.__all__) == sorted(storyboard._HOMES)
    for name in storyboard.__all__:
        assert getattr(storyboard, name).__module__.startswith("storyboard.")
    assert storyboard.__version__[0].isdigit()


def test_importing_it_loads_nothing() -> None:
    code = "import sys, storyboard; print(sorted(name for name in sys.modules if name.startswith(('storyboard.', 'pydantic', 'yaml'))))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""The public names are the exported ones, and importing the package loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

import identity


def test_every_public_name_is_there() -> None:
    assert sorted(identity.__all__) == sorted({*identity._HOMES, "IdentityError"})
    for name in identity.__all__:
        thing = getattr(identity, name)
        assert name == "EXEMPLARS" or thing.__doc__, f"{name} has no docstring"
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        identity.nonsense  # noqa: B018


def test_import_is_light() -> None:
    heavy = ["numpy", "scipy", "sklearn", "cv2", "torch", "PIL", "av", "insightface", "onnxruntime", "open_clip"]
    script = f"import sys, identity; print([m for m in {heavy} if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
        == "[]"
    )


def test_errors_carry_what_where_mend() -> None:
    error = identity.IdentityError("it is torn", where="a.png", mend="Tape it.")
    assert (error.what, error.where, error.mend, error.exit_code) == ("it is torn", "a.png", "Tape it.", 2)
    assert str(error) == "a.png: it is torn\nTape it."
    assert isinstance(error, ValueError)

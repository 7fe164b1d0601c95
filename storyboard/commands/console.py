"""What commands say: results on stdout as text or JSON, errors on stderr as one short message."""

from __future__ import annotations

import errno
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from identity import IdentityPack
    from identity.records import LeftOut
    from storyboard.commands.doctor import Finding
    from storyboard.planning.board import Storyboard
    from storyboard.report.filmcheck import FilmCheck
    from storyboard.studio import Film


def film(made: Film, as_json: bool) -> None:
    """What a render made."""
    if as_json:
        path = str(made.path) if made.path else None
        _json({"film": path, "run": str(made.folder), "seconds": made.seconds, **made.report.plain()})
        return
    for each in made.report.identity.values():
        said = "never found"
        if each.mean is not None and each.worst is not None:
            said = f"likeness {each.mean:.2f}, worst frame {each.worst:.2f} in shot {each.worst_shot}"
        print(f"{each.name}: {said}{'' if each.passes else ' - look at it'}")
    if made.report.light:
        for fault in made.report.light.after.faults:
            print(f"light, shot {fault.shots[-1]}: {fault.text} - {'look at it' if fault.verdict == 'review' else 'to be fixed'}")
    instead = "board.json" if made.report.facts["settings"]["until"] == "plan" else "report.html"
    print(made.path or made.folder / instead)


def board(planned: Storyboard, as_json: bool, written: Path | None) -> None:
    """A plan, shot by shot."""
    if as_json:
        print(planned.text(), end="")
        return
    if written:
        print(written)
        return
    print(f"{planned.title}: {len(planned.shots)} shots, {planned.seconds:.1f} s, {planned.size}, seed {planned.seed}")
    scene = 0
    for number, shot in enumerate(planned.shots, start=1):
        if shot.scene != scene:
            scene = shot.scene
            where = "interior" if shot.interior else "exterior"
            print(f"\n{where}, {shot.place}, {shot.time}; {shot.light.warmth} light from the {shot.light.side}")
        length = shot.clip or f"{shot.seconds:g} s"
        joined = [f"{side} {each.kind} of {each.seconds:g} s" for side, each in shot.transitions.items()]
        joined += ["continues"] * shot.continues
        print(f"{number:>3}  {', '.join([shot.size, shot.move, length, *joined])}")
        sides = ", ".join(f"@{part.name} {part.side}" for part in shot.characters)
        for text in (shot.action, sides, *(f'@{line.speaker}: "{line.text}"' for line in shot.lines)):
            if text:
                print(f"     {text}")


def findings(found: list[Finding], as_json: bool) -> bool:
    """What the doctor found; whether nothing is amiss."""
    if as_json:
        _json([vars(each) for each in found])
    else:
        for each in found:
            print(f"{'ok   ' if each.good else 'AMISS'}  {each.what}" + (f"\n       {each.mend}" if each.mend else ""))
    return all(each.good for each in found)


def packs(made: Mapping[Path, IdentityPack], several: bool, as_json: bool) -> None:
    """New identity packs, by folder; as JSON a list where `several` could have been made."""
    if as_json:
        rows = [
            {
                "pack": str(folder), "name": pack.name, "kept": len(pack), "notes": list(pack.notes),
                "left_out": [asdict(each) for each in pack.left_out],
            }
            for folder, pack in made.items()
        ]  # fmt: skip
        _json(rows if several else rows[0])
        return
    for line in dict.fromkeys(line for pack in made.values() for line in _left_out(pack.left_out)):
        print(f"left out {line}", file=sys.stderr)
    for note in dict.fromkeys(note for pack in made.values() for note in pack.notes):
        print(f"note: {note}", file=sys.stderr)
    for folder, pack in made.items():
        left = len(pack.left_out)
        print(f"{folder}: {len(pack)} frames of {pack.name} kept, {left} left out; see {folder / 'contact.png'}")


def _left_out(frames: Iterable[LeftOut]) -> list[str]:
    """A line for each picture, and for each reason in a video: how many frames, and from when to when."""
    lines, moments = [], defaultdict(list)
    for each in frames:
        if each.seconds is None:
            lines.append(f"{each.source}: {each.reason}")
        else:
            moments[each.source, re.split(r" \(| as ", each.reason)[0]].append(each.seconds)
    for (source, reason), seconds in moments.items():
        count = "1 frame" if len(seconds) == 1 else f"{len(seconds)} frames"
        lines.append(f"{source}, {count} from {min(seconds):.1f} to {max(seconds):.1f} s: {reason}")
    return lines


def score(measured: dict[str, Any], as_json: bool) -> None:
    """A clip measured against packs."""
    if as_json:
        _json(measured)
        return
    for name, each in measured["characters"].items():
        if each["mean"] is None:
            print(f"{name}: not found")
            continue
        verdict = "" if each["passes"] else " - look at it"
        print(
            f"{name}: likeness {each['mean']:.2f}, worst {each['worst']:.2f} in frame {each['worst_frame'] + 1}, "
            f"found in {each['present']:.0%} of {measured['frames']} frames{verdict}"
        )


def checked(made: FilmCheck, as_json: bool) -> None:
    """A film measured shot by shot: a row for each character of each shot, then each character over the film."""
    if as_json:
        _json(made.plain())
        return
    wide = max([9, *(len(name) for name in made.identity)])
    print(f"shot  seconds  {'character':<{wide}}  found  likeness  worst  drift  no face")
    for shot in made.shots:
        lead = f"{shot.number:>4}  {shot.seconds:>7.2f}  "
        rows = shot.shown()["characters"]
        for name, each in rows.items():
            mean, worst, drift = _or_none(each["mean"]), _or_none(each["worst"]), _or_none(each["drift"], "+.2f")
            cells = f"{mean:>8}  {worst:>5}  {drift:>5}"
            verdict = "; ".join(each["faults"]) or "kept"
            print(f"{lead}{name:<{wide}}  {each['present']:>5.0%}  {cells}  {each['no_face']:>7.0%}  {verdict}")
            lead = " " * len(lead)
        if not rows:
            print(f"{lead}{'nobody known':<{wide}}")
    for fault in made.light.after.faults:
        print(f"\nlight, shot {fault.shots[-1]}: {fault.text} - {'to be fixed' if fault.verdict == 'fix' else 'look at it'}")
    for name, one in made.identity.items():
        if one.mean is None:
            print(f"\n{name}: not found")
            continue
        same = made.consistency[name]
        mean = f", from shot to shot {same.value:.2f}" if same.value is not None else ""
        print(f"\n{name}: likeness {one.mean:.2f}{mean}{'' if one.passes else ' - look at it'}")
        for number, row in zip(same.shots, same.matrix, strict=True):
            if len(same.shots) > 1:
                print(f"  shot {number:>3}  " + "  ".join(f"{value:.2f}" for value in row))
    print(f"\n{made.report}")


def _or_none(value: float | None, form: str = ".2f") -> str:
    return "-" if value is None else format(value, form)


def told(plain: Any, as_json: bool, lines: Iterable[str]) -> None:
    """A result as JSON or as lines."""
    if as_json:
        _json(plain)
    else:
        print("\n".join(lines))


def failure(error: Exception, as_json: bool) -> int:
    """Tell of an error in a few lines; returns the exit code."""
    code, what, mend = _told(error)
    if as_json:
        where = getattr(error, "where", "") or getattr(error, "filename", None) or ""
        problems = [
            {"path": each.path, "line": each.spot.line, "column": each.spot.column, "what": each.what, "mend": each.mend}
            for each in getattr(error, "problems", ())
        ]
        plain = getattr(error, "what", what)
        _json({"error": {"what": plain, "where": str(where), "mend": mend, **({"problems": problems} if problems else {})}})
    print(f"storyboard: {what}" if not getattr(error, "problems", ()) else what, file=sys.stderr)
    return code


def _told(error: Exception) -> tuple[int, str, str]:
    """Exit code, message and mend of an error."""
    mend = getattr(error, "mend", None)
    if mend is not None:
        return int(getattr(error, "exit_code", 1)), str(error), str(mend)
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            mend = "free some space and run the same command again: what is finished is kept"
            return 1, f"the disk is full{f': {error.filename}' if error.filename else ''}\n  {mend}", mend
        what = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
        return 1, f"{what}\n  check the path and its rights", "check the path and its rights"
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        mend = "close other programs, or render shorter or smaller shots; what is finished is kept"
        return 1, f"there is not enough memory\n  {mend}", mend
    mend = "run it again with --debug and report what it says"
    return 1, f"{type(error).__name__}: {error}\n  this is a fault of storyboard: {mend}", mend


def _json(plain: Any) -> None:
    print(json.dumps(plain, indent=1, ensure_ascii=False))

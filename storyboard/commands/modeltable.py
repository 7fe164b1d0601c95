"""What the commands on models say: the shelf of families and encoder sets, what was fetched, what is whole."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from storyboard.files import gigabytes

if TYPE_CHECKING:
    from generation import Family
    from storyboard.models.catalogue import Offer
    from storyboard.models.fetch import Fetched
    from storyboard.models.shelf import State


def shelf(families: Iterable[Family], known: Mapping[str, Offer], here: Mapping[str, State | None]) -> list[dict[str, Any]]:
    """A row for each family of models, then for each encoder set; which of them are here."""
    return [
        {
            "name": each.name, "kind": "model", "licence": each.licence, "repository": each.repository, "fps": each.fps,
            "seconds": round(each.max_frames / each.fps, 2), "sizes": [f"{w}x{h}" for w, h in each.sizes],
            "experts": each.experts, "billions": each.billions, "references": each.references, "pictures": each.pictures,
            "gigabytes": {precision: round(each.gigabytes(precision), 1) for precision in ("fp32", "bf16", "fp8", "nf4")},
            "steps": each.steps, "shift": each.shift, "guidance": each.guidance, "summary": each.summary,
            **_here(each.name, here),
        }
        for each in families
    ] + [
        {"name": each.name, "kind": each.kind, "licence": each.licence, **_here(each.name, here)}
        for each in known.values()
        if each.kind == "encoders"
    ]  # fmt: skip


def lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The rows of `shelf` for people."""
    for row in rows:
        makes = "finds and knows faces"
        if row["kind"] == "model":
            makes = f"up to {row['seconds']} s at {row['fps']:g} fps, {', '.join(row['sizes'])}"
        if row["folder"] is None:
            where = "comes with storyboard" if row["here"] else f"fetch it: storyboard models fetch {row['name']}"
        else:
            size = gigabytes(row["size"])
            where = f"here ({size}): " if row["here"] else f"not whole ({gigabytes(row['bytes'])} of {size}), fetch it again: "
            where += str(row["folder"])
        more = f"\n    {_made_of(row)}\n    " if row["kind"] == "model" else "; "
        yield f"{row['name']}: {makes}{more}{row['licence']}; {where}"


def _made_of(row: dict[str, Any]) -> str:
    """A family's experts, and how characters reach them."""
    size, count = row["gigabytes"], row["experts"]
    said = f" of {row['billions']:.2f} B, {'each ' * (count > 1)}{size['bf16']} GB in bf16 and {size['fp8']} in fp8"
    return f"{'two experts' if count > 1 else 'one expert'}{said if size['bf16'] >= 1 else ''}; {row['summary']}"


def _here(name: str, here: Mapping[str, State | None]) -> dict[str, Any]:
    """What a row says of the disk; what cannot be fetched comes with storyboard."""
    found = here.get(name)
    if found is None:
        return {"here": name not in here, "folder": None}
    return {"here": found.whole, "folder": str(found.folder), "bytes": found.here, "size": found.size}


def terms(wanted: Offer) -> None:
    """What the licence of something to be fetched asks: on stderr, as it is no result."""
    print(f"{wanted.name}: {wanted.licence}\n  {wanted.terms}\n  {wanted.page}", file=sys.stderr)


def fetched(done: Fetched) -> tuple[dict[str, Any], Iterable[str]]:
    """A model or an encoder set that is here: as it is, and for people."""
    size, came = sum(file.size for file in done.files), [file.path for file in done.came]
    plain = {
        "name": done.offer.name, "folder": str(done.folder), "licence": done.offer.licence, "bytes": size, "came": came,
        "files": {file.path: file.digest for file in done.files},
    }  # fmt: skip
    return plain, [f"{done.offer.name}: {'whole' if came else 'was whole already'}, {gigabytes(size)} in {done.folder}"]


def whole(opened: dict[str, Any]) -> Iterator[str]:
    """A model that is whole, and the digests of its parts."""
    yield f"{opened['name']}: whole, in {opened['folder']}"
    yield from (f"  {digest}  {name}" for name, digest in opened["hashes"].items())

"""XMP in an MP4 file: the IPTC digital source type, in the box where readers look for it.

The box goes to the end of the file, where it moves nothing: uuid BE7ACFCB-97A9-42E8-9C71-999491E3AFAC (XMP specification part 3,
2020, section 1.2.7). A remux by ffmpeg drops it. Signing comes after it and covers it.
"""

from __future__ import annotations

import re
import struct
import uuid
from pathlib import Path

from assemble.errors import AssembleError
from assemble.marks.boxes import Box, boxes

UUID = uuid.UUID("BE7ACFCB-97A9-42E8-9C71-999491E3AFAC").bytes
SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
MOST = 1 << 20
"""Bytes of XMP that are looked at."""

PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 Iptc4xmpExt:DigitalSourceType="{source}"/>
</rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""

_TYPE = re.compile(rb"DigitalSourceType\s*(?:=\s*[\"']|(?:\s[^>]{0,200})?>)\s*([^\"'<>\s]{1,200})")


def write_xmp(path: Path, source: str) -> None:
    """Append the box to an MP4 file that is not in use yet; `source` is the last word of the IPTC term."""
    if read_xmp(path) is not None:
        raise AssembleError("there is XMP in this file already", where=str(path))
    packet = UUID + PACKET.format(source=SOURCES + source).encode()
    with path.open("ab") as stream:
        stream.write(struct.pack(">I4s", 8 + len(packet), b"uuid") + packet)


def read_xmp(path: Path) -> str | None:
    """The last word of the digital source type in the file's XMP, "" where its XMP has none; None where there is no XMP.

    It is read as text, never as XML: what a stranger wrote there can expand into nothing.
    """
    for box in boxes(path):
        if box.uuid == UUID:
            return _source(path, box)
    return None


def _source(path: Path, box: Box) -> str:
    with path.open("rb") as stream:
        stream.seek(box.start + 24)
        found = _TYPE.search(stream.read(min(box.size - 24, MOST)))
    if found is None:
        return ""
    said = found.group(1).decode("ascii", "replace")
    return said.removeprefix(SOURCES) if said.startswith(SOURCES) else said

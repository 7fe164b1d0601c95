"""The one door to the network: `storyboard models fetch` goes through it, and nothing else does.

It goes through requests, and not through the hub's own library: storyboard tells that one to stay offline, it checks the
size of what came over plain HTTP but not the sha256 that the hub lists, and it knows nothing of sets that lie elsewhere.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import requests

from storyboard import __version__
from storyboard.errors import FetchError, StoryboardError
from storyboard.models.catalogue import HUB

MIRROR = "STORYBOARD_MIRROR"
TIMEOUT = 15, 60  # seconds, to connect and between two pieces
CHUNK = 1 << 18  # bytes; what a dropped connection costs at most
LONGEST = 32 << 20  # bytes of a JSON answer
TRIES = 6  # in a row without a byte more
PAUSE = 1.0  # seconds before the second try, twice that before the third ...

T = TypeVar("T")


class Dropped(Exception):  # noqa: N818
    """It did not work this time, and may the next."""


class Web:
    """The requests of one fetch. `reached` tells whether any server has answered yet."""

    def __init__(self) -> None:
        self.reached = False
        self._session = requests.Session()
        self._session.headers = requests.structures.CaseInsensitiveDict(
            {"User-Agent": f"storyboard/{__version__}", "Accept-Encoding": "identity"}
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get(self, url: str, start: int = 0) -> requests.Response:
        """The answer (200, 206 or 416), its body not yet read; from byte `start` on if the server can.

        Raises FetchError for what another try will not change, the network being away among it, and Dropped for the rest.
        """
        address = mirrored(url)
        try:
            answer = self._session.get(
                address, headers={"Range": f"bytes={start}-"} if start else {}, stream=True, timeout=TIMEOUT
            )
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.TooManyRedirects) as error:
            raise FetchError(f"the address leads nowhere ({error})", where=address, mend=_look_at(address)) from None
        except requests.RequestException as error:
            if not self.reached and _away(error):
                raise FetchError(
                    f"{urlsplit(address).hostname} cannot be reached ({_reason(error)})",
                    where=address,
                    mend=f"check the network, or the proxy in HTTPS_PROXY; {MIRROR} names another server to ask; "
                    "or copy the folder from a machine that has it",
                ) from None
            raise Dropped(f"the connection failed ({_reason(error)})") from None
        self.reached = True
        if address.startswith("https:") and not answer.url.startswith("https:"):
            answer.close()
            raise FetchError(
                f"the server leads on to {answer.url}, where anybody could answer", where=address,
                mend="name a server that answers over https",
            )
        if answer.status_code not in (200, 206, 416):
            answer.close()
            _refused(answer, address)
        return answer

    def json(self, url: str) -> Any:
        """The JSON document at an address."""

        def read() -> bytes:
            said = bytearray()
            with self.get(url) as answer:
                for chunk in chunks(answer):
                    said += chunk
                    if len(said) > LONGEST:
                        break
            return bytes(said)

        text = persist(read, where=mirrored(url))
        try:
            return json.loads(text)
        except ValueError:
            raise FetchError("the server answered something else than JSON", where=mirrored(url), mend=_look_at(url)) from None


def chunks(answer: requests.Response) -> Iterator[bytes]:
    """The body of an answer, piece by piece; Dropped when the connection breaks."""
    try:
        yield from answer.iter_content(CHUNK)
    except requests.RequestException as error:
        raise Dropped(f"the connection broke ({_reason(error)})") from None


def persist(attempt: Callable[[], T], so_far: Callable[[], int] = lambda: 0, *, where: str) -> T:
    """What `attempt` returns once it raises no Dropped. FetchError after TRIES in a row that brought `so_far` no further."""
    best, tries = so_far(), 0
    while True:
        try:
            return attempt()
        except Dropped as error:
            now = so_far()
            best, tries = (now, 0) if now > best else (best, tries + 1)
            if tries >= TRIES:
                mend = "run the same command again later: it goes on from here"
                raise FetchError(f"{error}, {tries} times in a row", where=where, mend=mend) from None
            time.sleep(PAUSE * 2 ** max(0, tries - 1))


def mirrored(url: str) -> str:
    """The address to ask for this one: another server's, if the environment names one.

    STORYBOARD_MIRROR stands for every server, HF_ENDPOINT (which users of the hub know) for the hub alone.
    """
    variable = MIRROR if os.environ.get(MIRROR) else "HF_ENDPOINT"
    mirror = os.environ.get(variable)
    if not mirror or (variable != MIRROR and not url.startswith(f"{HUB}/")):
        return url
    if urlsplit(mirror).scheme not in ("http", "https") or not urlsplit(mirror).hostname:
        raise StoryboardError(f'"{mirror}" is no server', where=variable, mend="write it as https://mirror.example")
    parts = urlsplit(url)
    return mirror.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")


def _refused(answer: requests.Response, address: str) -> None:
    code = answer.status_code
    if code in (408, 425, 429) or code >= 500:
        raise Dropped(f"the server says {code} {answer.reason}")
    what = {
        401: "the server wants to know who asks (401)",
        403: "the server does not give it to everybody (403)",
        404: "it is not there (404)",
        410: "it is there no more (410)",
    }.get(code, f"the server says {code} {answer.reason}")
    raise FetchError(what, where=address, mend=_look_at(address))


def _look_at(address: str) -> str:
    if os.environ.get(MIRROR):
        return f"check that the mirror has it ({MIRROR}={os.environ[MIRROR]})"
    return f"look at {address} in a browser; an update of storyboard may know where it is now"


def _away(error: requests.RequestException) -> bool:
    """Whether there is no way to the server at all, as opposed to one that failed on the way."""
    cause = _cause(error)
    if isinstance(error, (requests.ConnectTimeout, requests.exceptions.ProxyError, requests.exceptions.SSLError)):
        return True
    unreachable = isinstance(cause, OSError) and cause.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH)
    return unreachable or isinstance(cause, (ConnectionRefusedError, socket.gaierror))


def _reason(error: BaseException) -> str:
    cause = _cause(error)
    return str(getattr(cause, "strerror", None) or cause or type(cause).__name__)


def _cause(error: BaseException) -> BaseException:
    """What an error goes back to."""
    while before := error.__cause__ or error.__context__:
        error = before
    return error

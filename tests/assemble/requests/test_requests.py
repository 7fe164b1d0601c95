"""Requests for other systems: each fits its schema and its golden file, and what would not fit is told with what to change."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from assemble.requests import SYSTEMS, Compiled, Story, estimate
from assemble.requests.prices import OWN, PRICES

HERE = Path(__file__).parent
REFS = (HERE / "refs").as_uri()
"""The address of the made-up references, which golden files call {refs}."""
SCHEMAS = {name: json.loads((HERE / "schemas" / f"{name}.json").read_text()) for name in SYSTEMS}
VALID = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}


def shot(number: int, seconds: float = 3, action: str = "@mia waves.", **changes: Any) -> Any:
    return {
        "number": number, "sequence": 1, "scene": 1, "seconds": seconds, "size": "wide", "move": "static", "place": "lighthouse",
        "interior": True, "time": "night", "light": "warm light from the left", "sides": {"mia": "left"}, "action": action,
        "lines": [], "seed": 11 * number, **changes,
    }  # fmt: skip


def person(name: str, pictures: int = 5, videos: int = 0) -> Any:
    return {
        "name": name, "looks": f"the looks of {name}",
        "pictures": [f"{REFS}/{name}/{number}.png" for number in range(pictures)],
        "videos": [f"{REFS}/{name}/{number}.mp4" for number in range(videos)],
    }  # fmt: skip


def story(shots: Sequence[Any], people: Sequence[Any] = (), **changes: Any) -> Story:
    told: Any = {
        "title": "The Lighthouse", "style": "storybook", "size": (832, 480), "seed": 7,
        "people": list(people) or [person("mia"), person("tom", videos=1)], "shots": list(shots), **changes,
    }  # fmt: skip
    return told


LIGHTHOUSE = story([
    shot(1, 2.5, "@mia climbs. @tom's lamp shines.", sides={"mia": "left", "tom": "right"}),
    shot(2, 2.4, "@mia looks out.", size="close-up", move="push in",
         lines=[{"speaker": "mia", "text": "Someone is there!", "manner": "softly", "heard": False}]),
    shot(3, 4.1, "A boat turns.", scene=2, sides={}, interior=False, place="beach",
         lines=[{"speaker": "tom", "text": "Who?", "manner": "", "heard": True}]),
    shot(4, 5, "", sequence=2, scene=3, sides={"mia": "centre"}),
])  # fmt: skip


def check(name: str, made: Compiled) -> None:
    for file, data in made.files.items():
        wrong = [f"{file}: {error.json_path}: {error.message}" for error in VALID[name].iter_errors(data)]
        assert not wrong, "\n".join(wrong)
        assert not re.search(r"(?<!\w)@(mia|tom)\b", json.dumps(data))


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_golden_file(name: str) -> None:
    """To renew them after a change that is meant: write what `made` holds below, with {refs} for REFS."""
    Draft202012Validator.check_schema(SCHEMAS[name])
    made = SYSTEMS[name](LIGHTHOUSE)
    assert not made.faults
    check(name, made)
    golden = json.loads((HERE / "golden" / f"{name}.json").read_text().replace("{refs}", REFS))
    assert {"files": made.files, "notes": made.notes, "seconds": made.seconds} == golden


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_schema_refuses_what_the_system_would(name: str) -> None:
    """Every field is needed, no other is known, and numbers have their bounds: a schema that takes all proves nothing."""
    for data in SYSTEMS[name](LIGHTHOUSE).files.values():
        for field in data:
            if name != "comfyui":
                assert not VALID[name].is_valid({key: value for key, value in data.items() if key != field})
        assert not VALID[name].is_valid({**data, "unknown": 1})


NAMES = st.sampled_from(["mia", "tom", "ann"])
SHOTS = st.builds(
    lambda seconds, size, names, heard, words, scene, sequence: {
        **shot(1, seconds, " ".join(f"@{name} {words}." for name in names)),
        "size": size, "sides": dict.fromkeys(names, "left"), "scene": scene, "sequence": sequence,
        "lines": [{"speaker": heard, "text": words, "manner": "", "heard": True}] if heard else [],
    },
    st.floats(0.5, 15).map(lambda seconds: round(seconds, 2)), st.sampled_from(["wide", "medium", "close-up"]),
    st.lists(NAMES, unique=True, max_size=3), st.none() | NAMES, st.text("abc dé\"\\<>\n", min_size=1, max_size=400).filter(str.strip),
    st.integers(1, 3), st.integers(1, 2),
)  # fmt: skip
STORIES = st.builds(
    lambda shots, pictures, videos, size, style: story(
        [{**each, "number": number} for number, each in enumerate(sorted(shots, key=lambda s: (s["sequence"], s["scene"])), start=1)],
        [person(name, pictures, videos) for name in ("mia", "tom", "ann")], size=size, style=style,
    ),
    st.lists(SHOTS, min_size=1, max_size=7), st.integers(0, 9), st.integers(0, 2),
    st.sampled_from([(832, 480), (480, 832), (640, 640), (1920, 800), (720, 560)]), st.sampled_from(["", "storybook"]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(STORIES)
def test_whatever_is_compiled_is_valid_or_is_refused_with_reasons(told: Story) -> None:
    for name, compile_for in SYSTEMS.items():
        made = compile_for(told)
        assert bool(made.files) != bool(made.faults)
        assert made.faults or made.requests == len(made.files) > 0
        check(name, made)
        assert len(set(made.faults)) == len(made.faults) and len(set(made.notes)) == len(made.notes)


def refused(name: str, told: Story) -> str:
    made = SYSTEMS[name](told)
    assert made.faults and not made.files
    return "\n".join(made.faults)


def test_what_does_not_fit_says_what_to_change() -> None:
    long = [shot(1, 12.5)]
    assert refused("wan2.6", story(long)) == "shot 1 has 12.5 s, 10 s is the most: split it, or give it 10 s"
    assert refused("comfyui", story(long)) == "shot 1 has 12.5 s, 5.0625 s is the most: split it, or give it 5.0625 s"
    assert not SYSTEMS["wan2.7"](story(long)).faults
    assert "shot 1 last 2 s together, and a request takes 3 to 15 s: lengthen" in refused("kling3", story([shot(1, 2)]))
    assert "mia has 1 picture, and Kling 3.0 wants 2 to 4: add some" in refused(
        "kling3", story([shot(1)], [person("mia", 1)])
    )
    crowd = [person(name) for name in ("mia", "tom", "ann", "bob")]
    full = shot(1, 5, sides={each["name"]: "left" for each in crowd})
    assert "shot 1 has 4 characters, 3 is the most: leave one out" in refused("kling3", story([full], crowd))
    assert "the film is 1920x800, and Kling 3.0 makes 16:9, 9:16, 1:1" in refused(
        "kling3", story([shot(1)], size=(1920, 800))
    )
    assert "the prompt has" in refused("kling3", story([shot(1, action="@mia waves. " * 60)]))
    assert "tokens, 512 fit" in refused("holocine", story([shot(1, action="@mia waves. " * 200)]))
    assert "mia has no picture" in refused("seedance2", story([shot(1, 5)], [person("mia", 0)]))
    assert "shows nobody" in refused("wan2.7", story([shot(1, sides={}, action="Rain.")]))


def test_a_sequence_that_is_too_long_becomes_several_requests() -> None:
    made = SYSTEMS["wan2.6"](story([shot(number, 4) for number in range(1, 6)]))
    assert [data["parameters"]["duration"] for data in made.files.values()] == [8, 8, 4]
    assert "sequence 1 does not fit in one request, so it is 3: shots 1 to 2, shots 3 to 4, shot 5" in made.notes
    # No part may be shorter than the system takes: 13 + 2 would leave the last 2 s alone.
    made = SYSTEMS["kling3"](story([shot(1, 13), shot(2, 2), shot(3, 2)]))
    assert [data["duration"] for data in made.files.values()] == [13, 4]
    # A cut between scenes is better than one inside.
    made = SYSTEMS["wan2.6"](story([shot(number, 4, scene=1 + number // 2) for number in range(1, 4)]))
    assert [data["parameters"]["duration"] for data in made.files.values()] == [4, 8]


def test_speech_is_never_cut_short() -> None:
    line = {"speaker": "mia", "text": "Hi", "manner": "", "heard": False}
    made = SYSTEMS["kling3"](story([shot(1, 3.2, lines=[line]), shot(2, 3.2)]))
    assert [each["duration"] for each in made.files["kling3-01.json"]["multi_prompt"]] == [4, 3]


def test_nobody_in_the_picture() -> None:
    told = story([shot(1, 12, "Rain falls.", sides={})])
    told["people"] = []
    made = SYSTEMS["wan2.6"](told)
    assert made.files["wan2.6-01.json"]["model"] == "wan2.6-t2v" and not made.faults


def test_a_comfyui_workflow_is_wired_through() -> None:
    for flow in SYSTEMS["comfyui"](LIGHTHOUSE).files.values():
        links = {
            (node, key): value
            for node in flow
            for key, value in flow[node]["inputs"].items()
            if isinstance(value, list)
        }
        assert all(target in flow for target, _ in links.values())
        reached, waiting = set(), [node for node in flow if flow[node]["class_type"] == "SaveVideo"]
        while waiting:
            node = waiting.pop()
            reached.add(node)
            waiting += [target for (owner, _), (target, _) in links.items() if owner == node]
        assert reached == set(flow)
        high, low = (flow[node]["inputs"] for node in flow if flow[node]["class_type"] == "KSamplerAdvanced")
        assert low["latent_image"][0] in {n for n in flow if flow[n]["inputs"] is high}
        assert (high["end_at_step"], high["return_with_leftover_noise"]) == (low["start_at_step"], "enable")
        assert low["add_noise"] == "disable" and low["noise_seed"] == high["noise_seed"]


def test_an_estimate_is_a_known_price_times_the_seconds_asked_for() -> None:
    costs = {name: estimate(name, compile_for(LIGHTHOUSE)) for name, compile_for in SYSTEMS.items()}
    assert costs["wan2.6"].amount == pytest.approx(0.10 * 14) and costs["wan2.6"].currency == "USD"
    assert costs["wan2.7"].amount is None and "no price" in costs["wan2.7"].how
    assert {name for name, cost in costs.items() if cost.amount == 0} == OWN
    # 15 s of Seedance 2.0 are given as about 308,880 tokens at 46 CNY a million.
    assert PRICES["seedance2"].amount * 15 == pytest.approx(308_880 * 46e-6, rel=0.06)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", price.read) and price.source for price in PRICES.values())

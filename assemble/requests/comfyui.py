"""ComfyUI: a workflow in API form for each shot, Wan 2.2 T2V with its two experts, to be queued at one's own ComfyUI.

The two samplers share one run of the noise: the high-noise expert goes first and hands its leftover noise on. Not verified
against a running ComfyUI: the names of nodes and weights, which are those of its own template for Wan 2.2. Nobody's pictures are
used: who is who goes by the looks in words.
"""

from __future__ import annotations

import math
from typing import Any

from assemble.requests.bounds import Bounds, Compiled, parted, shape
from assemble.requests.story import Shot, Story, described, people_of, styled, told

FPS, MOST_FRAMES = 16, 81
STEPS, SWITCH, CFG, SHIFT = 20, 10, 3.5, 8.0
SHAPES = (("832x480", 832 / 480), ("480x832", 480 / 832), ("640x640", 1.0))
BOUNDS = Bounds("ComfyUI", shots=1, longest=MOST_FRAMES / FPS, shapes=SHAPES)
HIGH = "wan2.2_t2v_high_noise_14B_fp8_scaled.safetensors"
LOW = "wan2.2_t2v_low_noise_14B_fp8_scaled.safetensors"
TEXT, VAE = "umt5_xxl_fp8_e4m3fn_scaled.safetensors", "wan_2.1_vae.safetensors"
NEGATIVE = "blurry, overexposed, low quality, deformed hands, deformed face, extra fingers, subtitles, watermark, still picture"


def comfyui(story: Story) -> Compiled:
    """A workflow for each shot, to be posted to /prompt as {"prompt": workflow}."""
    made = Compiled(BOUNDS.system)
    # A request is one shot here, which needs no telling.
    for (shot,) in parted(
        {**story, "shots": [{**shot, "sequence": shot["number"]} for shot in story["shots"]]}, BOUNDS, made
    ):
        size = shape(story, BOUNDS, made)
        frames = min(MOST_FRAMES, 1 + 4 * math.ceil((round(shot["seconds"] * FPS) - 1) / 4))
        made.files[f"comfyui-shot{shot['number']:02}.json"] = _workflow(story, shot, size, max(1, frames))
        made.requests += 1
        made.seconds += shot["seconds"]
    made.note(f"it looks for {HIGH}, {LOW}, {TEXT} and {VAE} in ComfyUI's models folder")
    if any(person["pictures"] for person in story["people"]):
        made.note("it takes no pictures: who is who goes by the looks in words")
    return made.done()


def _workflow(story: Story, shot: Shot, size: str, frames: int) -> dict[str, Any]:
    width, height = map(int, size.split("x"))
    prompt = styled(story, told(shot, described(people_of(story, [shot]))))

    def node(kind: str, title: str, **inputs: Any) -> dict[str, Any]:
        return {"class_type": kind, "inputs": inputs, "_meta": {"title": title}}

    def sampler(title: str, model: str, latent: list[Any], first: bool) -> dict[str, Any]:
        return node(
            "KSamplerAdvanced", title, model=[model, 0], positive=["4", 0], negative=["5", 0], latent_image=latent,
            add_noise="enable" if first else "disable", noise_seed=shot["seed"], steps=STEPS, cfg=CFG, sampler_name="euler",
            scheduler="simple", start_at_step=0 if first else SWITCH, end_at_step=SWITCH if first else STEPS,
            return_with_leftover_noise="enable" if first else "disable",
        )  # fmt: skip

    return {
        "1": node("UNETLoader", "high-noise expert", unet_name=HIGH, weight_dtype="default"),
        "2": node("UNETLoader", "low-noise expert", unet_name=LOW, weight_dtype="default"),
        "3": node("CLIPLoader", "text encoder", clip_name=TEXT, type="wan", device="default"),
        "4": node("CLIPTextEncode", "prompt", clip=["3", 0], text=prompt),
        "5": node("CLIPTextEncode", "negative prompt", clip=["3", 0], text=NEGATIVE),
        "6": node("VAELoader", "VAE", vae_name=VAE),
        "7": node("ModelSamplingSD3", "shift, high noise", model=["1", 0], shift=SHIFT),
        "8": node("ModelSamplingSD3", "shift, low noise", model=["2", 0], shift=SHIFT),
        "9": node(
            "EmptyHunyuanLatentVideo", "size and length", width=width, height=height, length=frames, batch_size=1
        ),
        "10": sampler("layout", "7", ["9", 0], True),
        "11": sampler("detail", "8", ["10", 0], False),
        "12": node("VAEDecode", "frames", samples=["11", 0], vae=["6", 0]),
        "13": node("CreateVideo", "clip", images=["12", 0], fps=float(FPS)),
        "14": node(
            "SaveVideo",
            "file",
            video=["13", 0],
            filename_prefix=f"shot{shot['number']:02}",
            format="auto",
            codec="auto",
        ),
    }

"""The families of models, as one table. Figures are the native ones of each model, not those of a converted folder."""

from __future__ import annotations

from typing import Any

from generation.family import PARTS, Family
from generation.preset import Preset

_480P = ((832, 480), (480, 832))
_720P = ((1280, 720), (720, 1280))

# The words that all Wan models were made to steer away from (shared_config.py of Wan2.2, Apache-2.0).
NEGATIVE = (
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，JPEG压缩残留，丑陋的，"
    "残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，手指融合，静止不动的画面，杂乱的背景，"
    "三条腿，背景人很多，倒着走"
)
# Bernini-R was trained with this sentence right before the prompt, no space between.
SUBJECTS = "You are a helpful assistant specialized in subject-to-video generation."

_WAN: dict[str, Any] = {
    "pipeline": "WanPipeline", "boundary": 0.875, "fps": 16, "max_frames": 81, "channels": 16, "licence": "Apache-2.0",
    "negative_prompt": NEGATIVE,
}  # fmt: skip
_A14B: dict[str, Any] = {
    **_WAN, "experts": 2, "layers": 40, "width": 5120, "heads": 40, "ffn": 13824, "billions": 14.288, "steps": 40,
    "sizes": _480P + _720P,
}  # fmt: skip
_SMALL: dict[str, Any] = {
    **_WAN, "experts": 1, "layers": 30, "width": 1536, "heads": 12, "ffn": 8960, "billions": 1.419, "steps": 50, "sizes": _480P,
}  # fmt: skip
_VACE: dict[str, Any] = {
    "pipeline": "WanVACEPipeline", "transformer": "WanVACETransformer3DModel", "references": "pictures", "pictures": 4,
}  # fmt: skip
_BERNINI: dict[str, Any] = {
    "hint": "bernini", "sizes": ((848, 480), (480, 848)), "shift": 3.0, "steps": 40,
    "references": "streams", "pictures": 6, "naming": "order",
    "picture_guidance": (4.5, 3.6), "guidance": (4.0, 3.2),  # both fall to 0.8 where the low-noise expert takes over
    "prefix": SUBJECTS,
}  # fmt: skip


def _lightning(folder: str) -> tuple[Preset, ...]:
    return (Preset("lightning", 4, 5.0, f"lightx2v/Wan2.2-Lightning, folder {folder}"),)


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            name="toon",
            repository="",  # shipped with the package
            pipeline="WanPipeline",
            experts=2,
            layers=8,
            width=192,
            heads=4,
            ffn=768,
            channels=16,
            billions=0.0052,
            text_width=128,
            text_billions=0.0006,
            vae_billions=0.003,
            boundary=0.875,
            shift=None,
            steps=8,
            guidance=(2.0, 2.0),
            fps=12,
            max_frames=61,
            sizes=((256, 144), (192, 192), (144, 256)),
            naming="slot",
            parts=PARTS,
            licence="Apache-2.0",
            layout_gate=0.5,  # of 77 takes none of the 37 that came to pass had less than .57 at first sight
            identity_scale=(1.5, 1.5),  # of 50 people 48 are told apart, at 1 it is 45; at 1.25 clothes are a little nearer
            retake_scale=2.0,
            voice_scale=1.6,  # `benchmarks.motion`: at 2.4 times more shots are in time, but a mouth in a close-up hides the nose
            cache=None,  # of eight steps hardly one is like the last
        ),
        Family(
            name="Wan2.2-T2V-A14B",
            repository="Wan-AI/Wan2.2-T2V-A14B-Diffusers",
            shift=12.0,  # the scheduler of the published folder says 3.0: 13 of 40 steps would be high-noise, not 26
            guidance=(4.0, 3.0),
            presets=_lightning("Wan2.2-T2V-A14B-4steps-lora-rank64-Seko-V1.1"),
            **_A14B,
        ),
        Family(
            name="Wan2.2-I2V-A14B",
            repository="Wan-AI/Wan2.2-I2V-A14B-Diffusers",
            shift=5.0,
            guidance=(3.5, 3.5),
            references="keyframe",
            presets=_lightning("Wan2.2-I2V-A14B-4steps-lora-rank64-Seko-V1"),
            **{**_A14B, "pipeline": "WanImageToVideoPipeline", "boundary": 0.9, "channels": 36, "billions": 14.289},
        ),
        Family(
            name="Wan2.2-TI2V-5B",
            repository="Wan-AI/Wan2.2-TI2V-5B-Diffusers",
            experts=1,
            layers=30,
            width=3072,
            heads=24,
            ffn=14336,
            latents=48,
            billions=5.0,
            vae="Wan2.2",
            vae_billions=0.705,
            shift=5.0,
            steps=50,
            guidance=(5.0, 5.0),
            sizes=((1280, 704), (704, 1280)),
            references="keyframe",
            **{**_WAN, "channels": 48, "fps": 24, "max_frames": 121},
        ),
        Family(
            name="Wan2.2-VACE-Fun-A14B",
            repository="Pyros13/Wan2.2-VACE-Fun-A14B-Diffusers",
            shift=12.0,
            guidance=(5.0, 5.0),
            vace_layers=(0, 5, 10, 15, 20, 25, 30, 35),
            **{**_A14B, **_VACE, "steps": 50, "billions": 17.34},
        ),
        Family(name="Bernini-R", repository="ByteDance/Bernini-R-Diffusers", **{**_A14B, **_BERNINI}),
        Family(name="Bernini-R-1.3B", repository="ByteDance/Bernini-R-1.3B-Diffusers", **{**_SMALL, **_BERNINI}),
        Family(
            name="Wan2.1-T2V-1.3B",
            repository="Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
            shift=8.0,
            guidance=(6.0, 6.0),
            **_SMALL,
        ),
        Family(
            name="Wan2.1-VACE-1.3B",
            repository="Wan-AI/Wan2.1-VACE-1.3B-diffusers",
            shift=16.0,
            guidance=(5.0, 5.0),
            vace_layers=tuple(range(0, 30, 2)),
            **{**_SMALL, **_VACE, "billions": 2.15},
        ),
    )
}

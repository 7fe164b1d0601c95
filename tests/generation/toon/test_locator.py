"""Where joints are, and reading it out of a transformer."""

import numpy as np
import torch

from generation.toon import experts
from generation.toon.locator import BLOCK, Locator, spots
from generation.toon.world import character, scene
from generation.toon.world.figure import JOINTS


def test_a_joint_lies_on_its_figure_and_in_its_patch() -> None:
    rng = np.random.default_rng(4)
    what = scene.sample_scene(rng, [character.sample(seed) for seed in (11, 12)], size="wide", action="waves", move="static")
    clip = scene.render(what, 5, 192, 112)
    joints = np.zeros((1, 5, 3, len(JOINTS), 2), np.float16)
    for frame, drawn in enumerate(clip.drawn):
        joints[0, frame, :2] = [figure.joints for figure in drawn]
        for figure in drawn:
            assert (figure.joints >= figure.box[:2] - 4).all() and (figure.joints <= figure.box[2:] + 4).all()
    raised = joints[0, 0, :2, [JOINTS.index("left hand"), JOINTS.index("right hand")], 1].min(0)
    assert (raised < joints[0, 0, :2, JOINTS.index("shoulders"), 1]).all(), "who waves has a hand above the shoulders"

    where = spots(joints, 192, 112)
    assert where.shape == (1, 2, 3, len(JOINTS)) and (where[:, :, 2] == -1).all()
    x, y = joints[0, 3, 1, 0]
    assert where[0, 1, 1, 0] == int(y) // 16 * 12 + int(x) // 16
    joints[0, 0, 0, 3] = (-1, 20)
    assert spots(joints, 192, 112)[0, 0, 0, 3] == -1


def test_it_learns_to_read_what_the_inside_tells() -> None:
    from diffusers import WanTransformer3DModel

    torch.manual_seed(0)
    transformer = WanTransformer3DModel(**{**experts.TRANSFORMER, "num_layers": BLOCK + 1, "num_attention_heads": 1})
    locator = Locator(48)
    locator.attach(transformer)
    where = torch.randint(-1, 12, (1, 2, 3, len(JOINTS)))
    optimiser = torch.optim.Adam(locator.parameters(), lr=0.05)
    told = []
    for _ in range(40):
        with torch.no_grad():
            transformer(
                torch.randn(1, 16, 2, 6, 8, generator=torch.Generator().manual_seed(1)), torch.tensor([500]),
                torch.zeros(1, 4, 128), return_dict=False,
            )  # fmt: skip
        loss = locator.loss(where)
        told.append(float(loss.detach()))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert told[-1] < 0.7 * told[0]

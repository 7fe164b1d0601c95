"""The identity adapter on a tiny transformer, and its size on the real one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn.functional import normalize

from generation.adapter import AdapterConfig, IdentityAdapter, short_text
from generation.errors import GenerationError
from generation.projector import by_latent_frame
from generation.screen import screen_waves

FIGURE, FRAMES = 20, 3
Maker = Callable[..., IdentityAdapter]


class Scene:
    """A transformer, two rows of input, and what the characters of both look and sound like."""

    def __init__(self, transformer: Any) -> None:
        torch.manual_seed(1)
        self.transformer = transformer
        self.latents = torch.randn(2, 16, FRAMES, 8, 8)
        self.time = torch.tensor([900, 300])
        self.text = torch.randn(2, 512, 32)
        self.text[:, 10:] = 0
        self.face = normalize(torch.randn(2, 3, 5, 512), dim=-1)
        self.figure = normalize(torch.randn(2, 3, 5, FIGURE), dim=-1)
        self.weights = torch.rand(2, 3, 5)
        self.levels = torch.rand(2, 3, 4 * FRAMES - 3)

    def __call__(self, text: Tensor | None = None) -> Tensor:
        with torch.no_grad():
            return self.forward(text)

    def forward(self, text: Tensor | None = None) -> Tensor:
        text = self.text if text is None else text
        out: Tensor = self.transformer(self.latents, self.time, text, return_dict=False)[0]
        return out

    def under(self, adapter: IdentityAdapter, *, voice: bool = True, **more: Any) -> Tensor:
        """The transformer's output with everybody present and speaking, unless said otherwise."""
        with torch.no_grad():
            tokens = adapter.tokens(self.face, self.figure, self.weights)
            heard = adapter.voice(self.levels) if voice else None
            with adapter.conditioning(tokens, voice=heard, **more):
                return self()


@pytest.fixture
def scene(make_transformer: Callable[..., Any]) -> Scene:
    return Scene(make_transformer())


@pytest.fixture
def adapter(scene: Scene, make_loud_adapter: Maker) -> IdentityAdapter:
    return make_loud_adapter(scene.transformer).attach(scene.transformer)


def test_a_fresh_adapter_changes_nothing(scene: Scene) -> None:
    stock = scene()
    fresh = IdentityAdapter(AdapterConfig.of(scene.transformer, figure_dim=FIGURE, id_dim=16)).attach(scene.transformer)
    assert torch.equal(scene(), stock)
    assert torch.equal(scene.under(fresh), stock)


def test_a_sense_of_the_screen(scene: Scene) -> None:
    stock, grid = scene(), (FRAMES, 4, 4)
    config = AdapterConfig.of(scene.transformer, figure_dim=FIGURE, id_dim=16, screen=3)
    adapter = IdentityAdapter(config).attach(scene.transformer)
    assert torch.equal(scene.under(adapter, grid=grid), stock)
    for layer in adapter.screen_blocks:
        torch.nn.init.normal_(layer.weight)
    assert torch.equal(scene.under(adapter), stock)
    assert torch.equal(scene.under(adapter, grid=grid, scale=0), stock)
    assert not torch.allclose(scene.under(adapter, grid=grid), stock, atol=0.01)


def test_each_place_on_the_screen_has_its_own_waves() -> None:
    waves = screen_waves((2, 3, 5), 4)
    assert waves.shape == (30, 18)
    assert waves.abs().max() <= 1
    assert torch.equal(waves[:15], waves[15:])
    assert torch.cdist(waves[:15], waves[:15]).fill_diagonal_(9).min() > 0.5
    down, across = waves[:15, 0].view(3, 5), waves[:15, 9].view(3, 5)
    assert torch.allclose(down, -down.flip(0)) and torch.allclose(across, -across.flip(1))


@pytest.fixture
def sided(scene: Scene, make_loud_adapter: Maker) -> IdentityAdapter:
    """An adapter that looks for whom it knows to be on the left or right on that half of the screen alone."""
    adapter = make_loud_adapter(scene.transformer, screen=3).attach(scene.transformer)
    for bias in (*adapter.side_blocks, *adapter.voice_side_blocks):
        across = 7  # the first of width's seven waves: how far right of the middle
        torch.nn.init.constant_(bias.weight[0, :, across], -9)
        torch.nn.init.constant_(bias.weight[2, :, across], 9)
    return adapter


def test_each_half_of_the_screen_sees_its_own_character(scene: Scene, sided: IdentityAdapter) -> None:
    attention, hidden = scene.transformer.blocks[0].attn2, torch.randn(2, FRAMES * 16, 24)
    text = scene.transformer.condition_embedder.text_embedder(scene.text)
    present = torch.tensor([[True, True, False]])

    def seen(sides: list[int]) -> tuple[Tensor, Tensor]:
        tokens = sided.tokens(scene.face, scene.figure, scene.weights)
        with torch.no_grad(), sided.conditioning(tokens, present=present, grid=(FRAMES, 4, 4), sides=torch.tensor([sides])):
            out: Tensor = attention(hidden, encoder_hidden_states=text)
        left, right = out.unflatten(1, (FRAMES, 4, 4)).split(2, dim=3)
        return left, right

    left, right = seen([0, 2, -1])
    other_left, other_right = seen([2, 0, -1])
    scene.face[:, 1] = -scene.face[:, 1]  # the second is another person
    still, changed = seen([0, 2, -1])
    assert torch.allclose(still, left, atol=1e-5)
    assert not torch.allclose(changed, right, atol=1e-3)
    changed, still = seen([2, 0, -1])
    assert torch.allclose(still, other_right, atol=1e-5)
    assert not torch.allclose(changed, other_left, atol=1e-3)


def test_each_half_of_the_screen_hears_its_own_character(scene: Scene, sided: IdentityAdapter) -> None:
    attention, hidden = scene.transformer.blocks[0].attn2, torch.randn(2, FRAMES * 16, 24)
    text = scene.transformer.condition_embedder.text_embedder(scene.text)

    def heard(levels: Tensor, **sides: Tensor) -> tuple[Tensor, Tensor]:
        present = torch.tensor([[True, True, False]])
        with torch.no_grad(), sided.conditioning(voice=sided.voice(levels), present=present, grid=(FRAMES, 4, 4), **sides):
            out: Tensor = attention(hidden, encoder_hidden_states=text)
        left, right = out.unflatten(1, (FRAMES, 4, 4)).split(2, dim=3)
        return left, right

    apart = {"sides": torch.tensor([[0, 2, -1]])}
    silent, louder = torch.zeros(2, 3, 4 * FRAMES - 3), torch.zeros(2, 3, 4 * FRAMES - 3)
    louder[:, 1] = 1  # the second, on the right, speaks
    (left, right), (same, moved) = heard(silent, **apart), heard(louder, **apart)
    assert torch.allclose(left, same, atol=1e-5)
    assert not torch.allclose(right, moved, atol=1e-3)
    assert not torch.allclose(heard(silent)[0], heard(louder)[0], atol=1e-3)  # nobody knows who is where


def test_unknown_sides_are_as_none_given(scene: Scene, sided: IdentityAdapter) -> None:
    grid = (FRAMES, 4, 4)
    without = scene.under(sided, grid=grid)
    assert torch.allclose(scene.under(sided, grid=grid, sides=torch.full((1, 3), -1)), without, atol=1e-5)
    assert not torch.allclose(scene.under(sided, grid=grid, sides=torch.tensor([[0, 2, 1]])), without, atol=1e-3)
    assert torch.equal(scene.under(sided, sides=torch.tensor([[0, 2, 1]])), scene.under(sided))  # no grid, no screen
    stock = scene()
    assert torch.equal(scene.under(sided, grid=grid, sides=torch.tensor([[0, 2, 1]]), scale=0), stock)
    alone = {"grid": grid, "sides": torch.tensor([[0, 2, 1]]), "present": torch.zeros(2, 3, dtype=torch.bool)}
    assert torch.allclose(scene.under(sided, **alone, voice=False), stock, atol=1e-5)


def test_scale_zero_is_the_stock_transformer_bit_for_bit(scene: Scene, adapter: IdentityAdapter) -> None:
    inside = scene.under(adapter)
    adapter.detach(scene.transformer)
    stock = scene()
    adapter.attach(scene.transformer)
    assert not torch.allclose(inside, stock, atol=0.01)
    assert torch.equal(scene(), stock)
    assert torch.equal(scene.under(adapter, scale=0), stock)
    assert torch.equal(scene.under(adapter, scale=torch.zeros(2, 3)), stock)
    assert torch.equal(scene.under(adapter, scale=1.0), inside)


def test_voices_have_a_strength_of_their_own(scene: Scene, adapter: IdentityAdapter) -> None:
    silent, heard = scene.under(adapter, voice=False), scene.under(adapter)
    assert torch.equal(scene.under(adapter, voice_scale=1.0), heard)
    louder = scene.under(adapter, voice_scale=2.0)
    assert not torch.allclose(louder, heard, atol=1e-3)
    assert torch.equal(scene.under(adapter, voice_scale=0.0), silent)
    assert torch.equal(scene.under(adapter, voice=False, voice_scale=2.0), silent)
    # The strength of identity leaves that of the voice, but who has none of it is not heard.
    block = adapter.voice_blocks[0]
    now = adapter._prepare(None, None, torch.tensor([[2.0, 0.5, 0.0]]), adapter.voice(scene.levels), 3.0, None, None, None, None)
    assert now is not None and now.voice_scale is not None and now.voice is not None
    assert now.voice_scale.flatten().tolist() == [3.0, 3.0, 0.0] * 2
    assert not block(now.voice, now.voice_scale)[1][:, :, 2].any()


def test_a_row_without_characters_is_stock_beside_one_with(scene: Scene, adapter: IdentityAdapter) -> None:
    stock, everyone = scene(), scene.under(adapter)
    mixed = scene.under(adapter, present=torch.tensor([[True, True, True], [False, False, False]]))
    assert torch.allclose(mixed[0], everyone[0], atol=1e-5)
    assert torch.equal(mixed[1], stock[1])


def test_an_absent_character_is_as_if_never_given(scene: Scene, adapter: IdentityAdapter) -> None:
    without = scene.under(adapter, present=torch.tensor([[True, True, False]]))
    scene.face[:, 2] = -scene.face[:, 2]
    scene.levels[:, 2] = 1
    assert torch.equal(scene.under(adapter, present=torch.tensor([[True, True, False]])), without)
    scene.face, scene.figure, scene.weights = scene.face[:, :2], scene.figure[:, :2], scene.weights[:, :2]
    scene.levels = scene.levels[:, :2]
    assert torch.allclose(scene.under(adapter), without, atol=1e-5)


def test_each_character_has_its_own_scale(scene: Scene, adapter: IdentityAdapter) -> None:
    """Scale weighs a character's own contribution: in one block, the parts of the three add up."""
    block = adapter.identity_blocks[0]
    tokens = adapter.tokens(scene.face, scene.figure, scene.weights)
    ones = torch.eye(3).repeat_interleave(adapter.config.tokens_per_character, dim=1)
    parts = [block(tokens, one[None, :, None])[1] for one in ones]
    assert torch.allclose(sum(parts), block(tokens, None)[1])
    half = scene.under(adapter, scale=torch.tensor([[1.0, 0.5, 0.0]]))
    assert not torch.allclose(half, scene.under(adapter, scale=torch.tensor([[1.0, 0.0, 0.5]])), atol=1e-3)
    scene.face[:, 2] = -scene.face[:, 2]
    moved = scene.under(adapter, scale=torch.tensor([[1.0, 0.5, 0.0]]))
    # At scale 0 a character shows nothing of itself; it still draws attention away from the others.
    assert not torch.equal(moved, half)


def test_characters_are_told_apart_by_slot_alone(scene: Scene, adapter: IdentityAdapter) -> None:
    order = [2, 0, 1]
    before = scene.under(adapter)
    for name in ("face", "figure", "weights", "levels"):
        setattr(scene, name, getattr(scene, name)[:, order])
    assert not torch.allclose(scene.under(adapter), before, atol=1e-3)
    with torch.no_grad():
        adapter.projector.slot.copy_(adapter.projector.slot[order])
        adapter.voice_projector.slot.copy_(adapter.voice_projector.slot[order])
    assert torch.allclose(scene.under(adapter), before, atol=1e-5)


def test_a_voice_is_heard_in_its_own_latent_frame(scene: Scene, adapter: IdentityAdapter) -> None:
    """In the first block, before self-attention can carry it on, only the frame that speaks changes."""
    seen: list[Tensor] = []
    hook = scene.transformer.blocks[0].attn2.register_forward_hook(lambda *args: seen.append(args[2]))
    scene.under(adapter)
    scene.levels[:, :, 5:] = 0  # video frames 5..8 are the third latent frame
    scene.under(adapter)
    hook.remove()
    change = (seen[1] - seen[0]).abs().unflatten(1, (FRAMES, -1)).amax(dim=(0, 2, 3))
    assert change[:2].max() == 0 and change[2] > 1e-3


def test_without_a_voice_track_the_term_is_not_there(scene: Scene, adapter: IdentityAdapter) -> None:
    mute = scene.under(adapter, voice=False)
    some = scene.under(adapter, heard=torch.tensor([[True, True, True], [False, False, False]]))
    assert torch.equal(some[1], mute[1])
    assert not torch.allclose(some[0], mute[0], atol=1e-3)


def test_loudness_by_latent_frame() -> None:
    levels = torch.arange(9.0)[None, None]
    assert by_latent_frame(levels).squeeze().tolist() == [[0, 0, 0, 0], [1, 2, 3, 4], [5, 6, 7, 8]]
    with pytest.raises(ValueError, match="4k\\+1"):
        by_latent_frame(torch.zeros(1, 1, 8))


def test_rows_of_weight_zero_and_unseen_faces(scene: Scene, adapter: IdentityAdapter) -> None:
    scene.weights[:, :, 3:] = 0
    before = adapter.tokens(scene.face, scene.figure, scene.weights)
    scene.face[:, :, 3:] = 7.0
    assert torch.equal(adapter.tokens(scene.face, scene.figure, scene.weights), before)
    nobody = adapter.tokens(torch.zeros_like(scene.face), torch.zeros_like(scene.figure), torch.zeros(2, 3, 5))
    assert bool(torch.isfinite(nobody).all())


def test_standardise_uses_the_faces_that_were_seen(scene: Scene, adapter: IdentityAdapter) -> None:
    faces, figures = 0.5 + 0.1 * torch.randn(400, 512), 2 + torch.randn(400, FIGURE)
    faces[::4] = 0
    adapter.projector.standardise(faces, figures)
    assert torch.allclose(adapter.projector.face_mean, torch.full((512,), 0.5), atol=0.05)
    assert torch.allclose(adapter.projector.figure_gain, torch.ones(FIGURE), atol=0.2)


def test_short_text_equals_the_padded_text(scene: Scene, adapter: IdentityAdapter) -> None:
    stock, inside = scene(), scene.under(adapter)
    short, bias = short_text(scene.text, 16)
    with adapter.conditioning(text_bias=bias):
        assert (scene(short) - stock).abs().max() < 2e-6
    with adapter.conditioning(
        adapter.tokens(scene.face, scene.figure, scene.weights), voice=adapter.voice(scene.levels), text_bias=bias
    ):
        assert (scene(short) - inside).abs().max() < 2e-6
    with pytest.raises(ValueError, match="zero"):
        short_text(scene.text, 8)


def test_gradients_reach_everything(scene: Scene, adapter: IdentityAdapter) -> None:
    with adapter.conditioning(
        adapter.tokens(scene.face, scene.figure, scene.weights),
        voice=adapter.voice(scene.levels),
        present=torch.tensor([[True, True, False]]),
    ):
        scene.forward().square().mean().backward()
    for name, value in adapter.named_parameters():
        assert value.grad is not None and bool(value.grad.any()), name


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # dynamo looks at the tokens' gradient
@pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight")  # autocast, in the stock norms too
def test_training_under_compile_and_in_bfloat16(scene: Scene, adapter: IdentityAdapter) -> None:
    def step(forward: Any) -> tuple[Tensor, list[Tensor]]:
        adapter.zero_grad()
        with adapter.conditioning(
            adapter.tokens(scene.face, scene.figure, scene.weights),
            voice=adapter.voice(scene.levels),
            present=torch.tensor([[True, True, False]]),
            scale=torch.rand(2, 3, generator=torch.Generator().manual_seed(0)),
        ):
            out = forward(scene.latents, scene.time, scene.text, return_dict=False)[0]
            out.float().square().mean().backward()
        return out.detach(), [value.grad.clone() for value in adapter.parameters() if value.grad is not None]

    out, gradients = step(scene.transformer)
    torch._dynamo.reset()
    compiled = torch.compile(scene.transformer, backend="eager", fullgraph=True)
    step(compiled)
    with torch._dynamo.config.patch(error_on_recompile=True):
        again, same = step(compiled)
    assert torch.equal(again, out)
    assert all(torch.equal(one, other) for one, other in zip(gradients, same, strict=True))
    with torch.autocast("cpu", torch.bfloat16):
        half, _ = step(scene.transformer)
    assert half.dtype == torch.bfloat16 and torch.allclose(half.float(), out, atol=0.1)


@pytest.mark.slow
def test_inductor_gives_the_same(scene: Scene, adapter: IdentityAdapter) -> None:
    expected = scene.under(adapter)
    torch._dynamo.reset()
    scene.transformer.compile_repeated_blocks(fullgraph=True)
    assert torch.allclose(scene.under(adapter), expected, atol=1e-5)


def test_saved_apart_from_the_base(scene: Scene, adapter: IdentityAdapter, tmp_path: Path) -> None:
    from diffusers import WanTransformer3DModel

    inside = scene.under(adapter)
    adapter.detach(scene.transformer)
    names = set(scene.transformer.state_dict())
    adapter.attach(scene.transformer)
    assert set(scene.transformer.state_dict()) == names
    scene.transformer.save_pretrained(tmp_path / "transformer")
    adapter.save(tmp_path / "transformer")
    with safe_open(tmp_path / "transformer" / "diffusion_pytorch_model.safetensors", "pt") as file:
        assert set(file.keys()) == names

    scene.transformer = WanTransformer3DModel.from_pretrained(tmp_path / "transformer").eval()
    loaded = IdentityAdapter.load(tmp_path / "transformer").attach(scene.transformer)
    assert torch.equal(scene.under(loaded), inside)
    assert IdentityAdapter.load(tmp_path / "transformer", torch.bfloat16).projector.slot.dtype == torch.bfloat16


def test_an_adapter_that_does_not_fit(
    scene: Scene, adapter: IdentityAdapter, make_transformer: Callable[..., Any], tmp_path: Path
) -> None:
    with pytest.raises(GenerationError, match="2 blocks of width 24, the transformer has 3"):
        adapter.attach(make_transformer(layers=3))
    other = AdapterConfig(figure_dim=FIGURE, id_dim=16, inner_dim=24, num_blocks=2, screen=3, heads=4)
    with pytest.raises(GenerationError, match="width 24 with 4 heads, the transformer has 2 of width 24 with 2 heads"):
        IdentityAdapter(other).attach(scene.transformer)
    adapter.save(tmp_path)
    config = tmp_path / "identity_adapter.json"
    good = json.loads(config.read_text())
    for change, words in (
        ({"id_dim": 17}, "do not fit"),
        ({"schema": "identity_adapter/9"}, "identity_adapter/9"),
        ({"strange": 1}, "no readable adapter configuration"),
    ):
        config.write_text(json.dumps(good | change))
        with pytest.raises(GenerationError, match=words) as caught:
            IdentityAdapter.load(tmp_path)
        assert caught.value.mend


def test_the_official_a14b_on_the_meta_device(make_loud_adapter: Maker) -> None:
    from diffusers import WanTransformer3DModel

    with torch.device("meta"):
        transformer = WanTransformer3DModel()  # its defaults are the A14B expert's
        assert (transformer.config.num_layers, transformer.config.text_dim, transformer.config.ffn_dim) == (
            40,
            4096,
            13824,
        )
        adapter = IdentityAdapter(AdapterConfig.of(transformer, figure_dim=1024, id_dim=1024)).attach(transformer)
        batch, frames = 1, 21
        tokens = adapter.tokens(torch.randn(batch, 3, 5, 512), torch.randn(batch, 3, 5, 1024), torch.ones(batch, 3, 5))
        voice = adapter.voice(torch.rand(batch, 3, 81))
        assert tokens.shape == (batch, 24, 1024) and voice.shape == (batch, frames, 3, 128)
        for width, blocks in ((1024, adapter.identity_blocks), (128, adapter.voice_blocks)):
            assert len(blocks) == 40
            for block in blocks:
                assert block.to_k.weight.shape == block.to_v.weight.shape == (5120, width)
                assert block.norm_k.weight.shape == block.sink.shape == (5120,)
        latents = torch.randn(batch, 16, frames, 60, 104)
        with torch.no_grad(), adapter.conditioning(tokens, voice=voice):
            out = transformer(latents, torch.tensor([999]), torch.randn(batch, 512, 4096), return_dict=False)[0]
    assert out.shape == latents.shape
    identity = sum(value.numel() for value in adapter.identity_blocks.parameters())
    assert identity == 40 * (2 * 1024 * 5120 + 2 * 5120)  # 0.42 billion: 0.84 GB in bfloat16, for each expert
    every = sum(value.numel() for value in adapter.parameters())
    assert (
        0.50e9 < every < 0.52e9
    )  # with projector and voice 0.51 billion, 1.02 GB; the expert itself has 14.29 billion

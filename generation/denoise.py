"""The two stages that make the shot out of noise: layout with the high-noise expert, detail with the low-noise one.

Each runs the steps of its own side of the boundary. What passes between them is the latents, the solver's memory (UniPC
looks back over several steps) and the text, so that both in a row are, bit for bit, the stock pipeline's loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from generation.adapter_files import check_packs
from generation.errors import GenerationError, StageError
from generation.noise import churned, drawn
from generation.references import KINDS, Condition
from generation.references.condition import passed_on
from generation.request import SIDES, ShotRequest
from generation.solver import restore, snapshot
from generation.speed import cache_blocks, forget, remembered
from generation.stage import CharacterTokens, OnStep, Stage, digest

if TYPE_CHECKING:
    from torch import Tensor

    from generation.adapter import IdentityAdapter

Way = tuple["Tensor", "dict[str, Any] | None", bool]
MEND_NAN = "Try another seed or less guidance; if it stays, check the model's files."


class DenoiseStage(Stage):
    """Makes `latents` (1, C, F, h, w); layout adds what detail needs to go on, and `preview`, its guess of the end."""

    adapter: IdentityAdapter | None = None

    def run(
        self,
        request: ShotRequest,
        tokens: Sequence[CharacterTokens],
        inputs: dict[str, Tensor],
        on_step: OnStep | None = None,
    ) -> dict[str, Tensor]:
        import torch

        self.model.family.check(request.width, request.height, request.frames)
        self._open()
        scheduler = self.model.scheduler()
        scheduler.set_timesteps(request.steps, device=self.device)
        scheduler.set_begin_index(0)
        times = scheduler.timesteps
        boundary = self.model.boundary * scheduler.config.num_train_timesteps
        handover = sum(bool(time >= boundary) for time in times)
        if self.name == "layout":
            steps, preview = range(handover), None
        else:
            steps, latents = range(handover, len(times)), inputs["latents"].to(self.device)
            if request.detail_seed is None or handover in (0, len(times)):
                restore(scheduler, inputs, self.device)
            else:  # the solver's memory is of the noise that was there before
                scheduler.set_begin_index(handover)
                guess = inputs["preview"].to(self.device, latents.dtype)
                latents = churned(latents, guess, float(scheduler.sigmas[handover]), request.detail_seed)
        with torch.no_grad():
            condition = KINDS[self.model.family.references](self.model, request, inputs, self.device, self.dtype)
            if self.name == "layout":
                latents = drawn(self._noise_shape(request, condition.frames), request.seed, self.device)
            ways = self._ways(request, tokens, inputs, condition)
            apart: list[Tensor] = []  # what the forwards against the prompt last differed by from the one with it
            for done, step in enumerate(steps, 1):
                time = times[step]
                sigma = scheduler.sigmas[step]
                afresh = (done - 1) % self.model.speed.guided == 0
                found = self._forwards(latents, time, ways if afresh else ways[:1], condition)
                if not afresh:
                    found += [found[0] + each for each in apart]
                elif self.model.speed.guided > 1:
                    apart = [each - found[0] for each in found[1:]]
                velocity = condition.guided(latents, sigma, found, request.guidance[self._side], self._side)
                preview = latents - sigma.to(latents.device) * velocity
                latents = scheduler.step(velocity, time, latents, return_dict=False)[0]
                if on_step:
                    on_step(done, len(steps))
        if not bool(torch.isfinite(latents).all()):
            raise StageError("the latents are not numbers any more", where=self.name, mend=MEND_NAN)
        if self.name == "detail":
            return {"latents": condition.done(latents).cpu().contiguous()}
        preview = condition.done(latents if preview is None else preview).contiguous()
        return {"latents": latents.cpu(), "preview": preview.half().cpu(), **passed_on(inputs), **snapshot(scheduler)}

    def close(self) -> None:
        expert = self._component
        if self.network is not None and self.name == "layout" and self.model.expert("detail") == expert:
            self.model.held[expert] = (self.network, *self._belongings())  # it finishes what it has laid out
            self.network = None
        super().close()
        self.adapter = None

    @property
    def _component(self) -> str:
        return self.model.expert(self.name)

    def _belongings(self) -> tuple[Any, ...]:
        return (self.adapter,)

    @property
    def _side(self) -> int:
        """Where this expert's number stands in a (high-noise, low-noise) pair."""
        return 0 if self.name == "layout" else 1

    @property
    def _cache(self) -> float | None:
        """The threshold at which blocks are left out, if any may be: not where each fetches the next one."""
        streamed = self.placement is not None and self.placement.how == "streamed"
        return None if streamed or self.model.speed.cache is None else self.model.speed.cache[self._side]

    def _open(self) -> None:
        if self.network is None:
            found = self._load(self._component)
            if len(found) > 1:
                self.network, self.adapter = found
            else:
                (self.network,) = found
                if self.model.adapter_of(self._component):
                    self.adapter = self.model.adapter(self._component, self.dtype).to(self.device).attach(self.network)
                elif self.model.speed.rounded:
                    self.adapter = blank(self.network).to(self.device, self.dtype)
            if self._cache is not None:
                cache_blocks(self.network, self._cache)
            elif self.model.speed.cache:
                self.notes = ["at this speed blocks are left out, but here they come and go in turn, and all are computed"]
        forget(self.network)

    def _noise_shape(self, request: ShotRequest, before: int = 0) -> tuple[int, int, int, int, int]:
        vae = self.model.config("vae")
        space, time = vae.get("scale_factor_spatial", 8), vae.get("scale_factor_temporal", 4)
        frames = before + (request.frames - 1) // time + 1
        return (1, vae.get("z_dim", 16), frames, request.height // space, request.width // space)

    def _grid(self, request: ShotRequest) -> tuple[int, int, int]:
        """Frames, rows and columns of the sequence that the transformer makes of this shot's latents."""
        frames, height, width = self._noise_shape(request)[2:]
        a, b, c = self.network.config.patch_size
        return frames // a, height // b, width // c

    def _ways(
        self, request: ShotRequest, tokens: Sequence[CharacterTokens], inputs: dict[str, Tensor], condition: Condition
    ) -> list[Way]:
        """The forward with the prompt and, if guided, those against it: text, identity, whether the references are seen."""
        import torch

        wanted = condition.ways if request.guidance[self._side] > 1 else condition.ways[:1]
        ways: list[Way] = []
        for name, live in wanted:
            rows = inputs[name].to(self.device, self.dtype)
            rest = self.model.family.text_length - len(rows)
            text = torch.cat([rows, rows.new_zeros(rest, rows.shape[1])])[None]
            identified = self.adapter is not None and self._identified(request)
            if not identified and not (self.model.speed.rounded and rest):
                ways.append((text, None, live))
                continue
            from generation.adapter import short_text

            conditioning = self._identity(request, tokens) if identified and name == "prompt" else {}
            if identified:
                conditioning["grid"] = self._grid(request)
            if rest:
                text, conditioning["text_bias"] = short_text(text, len(rows) + 1)
            if condition.apart:
                # Places on the screen and voices are told by place in the sequence, where other pictures stand now.
                conditioning = {
                    name: value for name, value in conditioning.items() if name not in ("grid", "voice", "voice_scale", "sides")
                }
            ways.append((text, conditioning, live))
        return ways

    def _identity(self, request: ShotRequest, tokens: Sequence[CharacterTokens]) -> dict[str, Any]:
        import torch

        assert self.adapter is not None
        if len(tokens) != len(request.characters):
            raise GenerationError(
                f"{len(request.characters)} characters but the identity of {len(tokens)}",
                mend="Give one identity pack for each character of the shot, in the same order.",
            )
        if not tokens:
            return {}
        for name, one in zip(request.characters, tokens, strict=True):
            self.adapter.check_pack(name, one.face.shape[1], one.figure.shape[1])
        face, figure, weights = (
            torch.stack([torch.tensor(getattr(one, part)) for one in tokens])[None].to(self.device)
            for part in ("face", "figure", "weights")
        )
        identity: dict[str, Any] = {
            "tokens": self.adapter.tokens(face, figure, weights),
            "scale": request.identity_scale[self._side],
        }
        if request.sides:
            identity["sides"] = torch.tensor([[SIDES.index(side) for side in request.sides]], device=self.device)
        if request.voice is not None:
            levels = torch.from_numpy(request.voice.by_slot(request.characters, request.frames))
            identity["voice"] = self.adapter.voice(levels[None].to(self.device))
            identity["voice_scale"] = request.voice_scale
        return identity

    def _forwards(self, latents: Tensor, time: Tensor, ways: list[Way], condition: Condition) -> list[Tensor]:
        """What the network says in each of the ways."""
        hidden, times = condition.seen(latents, time)
        hidden, more = hidden.to(self.dtype), condition.more
        found: list[Tensor] = []
        # One forward after another, never as one batch: a batch is rounded differently, and on a CPU no quicker.
        for number, (text, conditioning, live) in enumerate(ways):
            memory = remembered(self.network, f"{number}")
            with memory, self._conditioned(conditioning), condition.around(self.network, live):
                found.append(
                    self.network(
                        hidden_states=hidden, timestep=times, encoder_hidden_states=text, return_dict=False, **more
                    )[0]
                )
        return found

    def _conditioned(self, conditioning: dict[str, Any] | None) -> AbstractContextManager[None]:
        if self.adapter is None or conditioning is None:
            return nullcontext()
        return self.adapter.conditioning(**conditioning)

    def _identified(self, request: ShotRequest) -> bool:
        """Whether the adapter takes part. At scale 0 it does not, and this is the stock expert."""
        return self.model.adapter_of(self._component) is not None and request.identity_scale[self._side] != 0

    def _components(self, request: ShotRequest) -> tuple[str, ...]:
        expert, adapter = self._component, self.model.adapter_of(self._component)
        return (expert, "scheduler", adapter) if adapter and self._identified(request) else (expert, "scheduler")

    def _settings(self, request: ShotRequest, tokens: Sequence[CharacterTokens]) -> dict[str, Any]:
        family = self.model.family
        settings: dict[str, Any] = {
            "boundary": self.model.boundary,
            "shift": family.shift,
            "length": family.text_length,
            "expand_timesteps": self.model.expands,
            "steps": request.steps,
            "guidance": request.guidance[self._side],
        }
        if self.placement is not None and self.placement.precision == "fp8":
            settings["precision"] = "fp8"
        if family.preset:
            settings["preset"] = family.preset.name
        if self.model.speed.rounded:
            settings["rounded"] = True
        if self._cache is not None:
            settings["cache"] = self._cache
        if self.model.speed.guided > 1:
            settings["guided"] = self.model.speed.guided
        if self.name == "layout":
            settings |= {"size": [request.width, request.height, request.frames], "seed": request.seed}
        if family.references == "streams":
            settings["picture_guidance"] = family.picture_guidance[self._side]
        if self.name == "detail" and request.detail_seed is not None:
            settings["detail_seed"] = request.detail_seed
        if self._identified(request):
            widths = {
                name: (one.face.shape[1], one.figure.shape[1])
                for name, one in zip(request.characters, tokens, strict=False)
            }
            check_packs(self.model.folder / self._component, widths)
            settings["scale"] = request.identity_scale[self._side]
            settings["identity"] = [digest(one.face, one.figure, one.weights) for one in tokens]
            if request.sides:
                settings["sides"] = list(request.sides)
            if request.voice is not None and tokens:
                settings["voice"] = digest(request.voice.by_slot(request.characters, request.frames))
                settings["voice_scale"] = request.voice_scale
        return settings


def blank(network: Any) -> IdentityAdapter:
    """An adapter that changes nothing, attached to a network without one, so that its text can be cut short."""
    from generation.adapter import AdapterConfig, IdentityAdapter

    config = AdapterConfig.of(network, figure_dim=1, id_dim=1, tokens_per_character=1)
    return IdentityAdapter(config).eval().requires_grad_(False).attach(network)


class LayoutStage(DenoiseStage):
    """Half-denoised latents, from noise: where everything is and how it moves."""

    name = "layout"


class DetailStage(DenoiseStage):
    """Clean latents, from layout's: texture and light."""

    name = "detail"

"""Checkpoints: weights and their `ModelSpec` in one sealed safetensors file."""

import json
from pathlib import Path

import safetensors.torch
from torch import nn

from edgeecho.errors import ModelFileError
from edgeecho.files import atomic
from edgeecho.model.sealed_file import DIGEST_KEY, SPEC_KEY, UNSEALED, read_verified, seal
from edgeecho.model.spec import ModelSpec
from edgeecho.nn import Network, build


def save_checkpoint(path: Path, network: nn.Module, spec: ModelSpec) -> None:
    """Write weights and specification under a temporary name, then rename the file."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    data = _ordered(safetensors.torch.save(weights, {SPEC_KEY: spec.to_json(), DIGEST_KEY: UNSEALED}))
    with atomic(path) as temporary:
        temporary.write_bytes(seal(data))


def _ordered(data: bytes) -> bytes:
    """Sort the keys of a file's header, since safetensors writes metadata in no fixed order."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + data[end:]


def load_checkpoint(path: Path) -> tuple[Network, ModelSpec]:
    """Read, verify and rebuild a network, in eval mode.

    Raises:
        ModelFileError: If the file is no EdgeEcho checkpoint, is damaged, or its weights do not fit its spec.
    """
    data, spec, *_ = read_verified(path)
    if spec.form != "checkpoint":
        raise ModelFileError(f"{path.name}: this is a {spec.form} graph, not a checkpoint; give the .safetensors file")
    return network_from_bytes(data, spec, path.name), spec


def network_from_bytes(data: bytes, spec: ModelSpec, name: str) -> Network:
    """Rebuild a network in eval mode from a checkpoint's verified bytes.

    Raises:
        ModelFileError: If the weights do not fit the spec, or one is no finite number.
    """
    network = build(spec)
    try:
        network.load_state_dict(safetensors.torch.load(data))
    except Exception as error:  # safetensors and torch raise several kinds
        raise ModelFileError(f"{name}: weights do not fit the network that its spec names") from error
    if not all(bool(values.isfinite().all()) for values in network.state_dict().values()):
        raise ModelFileError(f"{name}: one of its weights is no finite number; train or fetch it again")
    return network.eval()

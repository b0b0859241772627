"""Settings of a run over cines: those of a cine, the model, and what is written."""

import hashlib
import json
from dataclasses import asdict, dataclass, field

from edgeecho.cine import check_stated
from edgeecho.dicom import Pseudonyms
from edgeecho.preprocess import AUTO, Roi, check_flip
from edgeecho.runtime import CinePredictor, load, stream


@dataclass(frozen=True, kw_only=True)
class CineOptions:
    """Settings of one cine that a user may give.

    Raises:
        ConfigError: If a setting makes no sense for any cine.
    """

    fps: float | None = None
    spacing_mm: tuple[float, float] | None = None
    roi: Roi | None = None
    flip: str | None = AUTO

    def __post_init__(self) -> None:
        check_stated(self.fps, self.spacing_mm)
        check_flip(self.flip)


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """The model that a process opens; fields are the arguments of `load`."""

    model: str = "default"
    runtime: str | None = None
    precision: str | None = None
    threads: int | None = None
    as_stream: bool = False
    """Whether frames are pushed one by one, as live frames are."""

    def open(self) -> CinePredictor:
        """Open the model; errors are those of `load`."""
        opener = stream if self.as_stream else load
        return opener(self.model, runtime=self.runtime, precision=self.precision, threads=self.threads)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of a whole run."""

    out: str
    """Folder for the results."""
    choice: ModelChoice = field(default_factory=ModelChoice)
    write_video: bool = True
    write_page: bool = True
    """Whether each cine gets a page, and the run an index."""
    resume: bool = False
    """Whether cines are skipped whose results are there, of the same cine, model and settings."""
    products: tuple[str, ...] = ()
    """Kinds of products for other software, keys of `edgeecho.dicom.PRODUCTS`."""
    blur_text: bool = False
    """Whether what stands still outside the fan, such as a burnt-in name, is covered in all pictures."""
    pseudonyms: Pseudonyms | None = None
    """Pseudonyms that stand for names of files, patients and studies in all results."""


def settings_sha256(info: dict[str, str], options: CineOptions, *, blur_text: bool = False) -> str:
    """Return the SHA-256 of everything that decides about the results of a given cine, as 64 hexadecimal digits.

    Args:
        info: Identity of the model: the fields of `ModelInfo`.
        options: Settings of the cine.
        blur_text: Whether text is covered in its pictures.
    """
    import edgeecho

    decisive: dict[str, object] = {"version": edgeecho.__version__, "model": info, "options": asdict(options)}
    if blur_text:
        decisive["blur_text"] = True
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

"""EdgeEcho: the left ventricle in every frame of an echo cine, in real time, on a bare CPU.

Research software, not a medical device.
"""

from edgeecho.cine import Cine, read_cine
from edgeecho.errors import EdgeEchoError
from edgeecho.preprocess import Roi
from edgeecho.runtime import Predictor, Segmentation, load
from edgeecho.spec import ModelSpec

__all__ = ["Cine", "EdgeEchoError", "ModelSpec", "Predictor", "Roi", "Segmentation", "load", "read_cine"]
__version__ = "0.1.0"

"""Many cines: what to segment, by one or more processes or a cluster, and the table of all results."""

from edgeecho.batch.run import Batch, run_batch
from edgeecho.batch.settings import CineOptions, ModelChoice, Settings
from edgeecho.batch.task import CineTask, Outcome

__all__ = ["Batch", "CineOptions", "CineTask", "ModelChoice", "Outcome", "Settings", "run_batch"]

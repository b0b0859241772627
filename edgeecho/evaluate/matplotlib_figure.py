"""Import of matplotlib that leaves nothing in the home directory."""

import os
import sys
from typing import Any

from edgeecho.errors import require
from edgeecho.files import scratch_folder


def figure_class() -> Any:
    """Return `matplotlib.figure.Figure`, which without pyplot has no window, no global state, and nothing to close.

    When matplotlib is imported first, it writes a list of the machine's fonts into the home directory. It is given a
    temporary folder for this, unless MPLCONFIGDIR names one.

    Raises:
        MissingExtraError: If matplotlib is not installed.
    """
    if sys.modules.get("matplotlib") is None and "MPLCONFIGDIR" not in os.environ:
        with scratch_folder() as folder:
            os.environ["MPLCONFIGDIR"] = str(folder)
            try:
                require("matplotlib.font_manager", "report")  # writes the list
            finally:
                del os.environ["MPLCONFIGDIR"]
    require("matplotlib", "report")
    from matplotlib.figure import Figure

    return Figure

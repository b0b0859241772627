"""Live: frames of a camera, a file or a program, the stream that segments them, and a page beside the probe."""

from edgeecho.live.session import LiveSession
from edgeecho.live.source import Source, open_source

__all__ = ["LiveSession", "Source", "open_source"]

"""A receiver of cines from scanners and archives: each is segmented when it arrives."""

from edgeecho.serve.receiver import Receiver, ReceiverSettings

__all__ = ["Receiver", "ReceiverSettings"]

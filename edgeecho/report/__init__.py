"""Pictures of a result: overlay video, area curve, contact sheet."""

from edgeecho.report.curve import draw_curve, write_curve
from edgeecho.report.files import write_png
from edgeecho.report.marks import Marks
from edgeecho.report.overlay import write_overlay
from edgeecho.report.still import contact_sheet

__all__ = ["Marks", "contact_sheet", "draw_curve", "write_curve", "write_overlay", "write_png"]

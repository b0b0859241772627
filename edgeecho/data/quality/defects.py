"""Defects of data sets, and what EdgeEcho does about each; `docs/datasets.md` lists the same sentences."""

from dataclasses import dataclass

LEVELS = ("error", "warning", "note")
"""Errors need a correction by hand; warnings cost labels or deserve a look; notes are oddities that cost nothing."""


@dataclass(frozen=True)
class Defect:
    """A kind of defect."""

    level: str
    """One of `LEVELS`."""
    what: str
    action: str
    """Action of EdgeEcho about the defect."""


@dataclass(frozen=True)
class Finding:
    """A defect at one place of a data set."""

    defect: Defect
    where: str
    """File, video or patient."""
    detail: str = ""

    def sentence(self) -> str:
        """Return the finding as a sentence, for `Cine.warnings`; the detail of `READING` is a sentence already."""
        if self.defect == READING:
            return f"{self.detail}."
        return f"{self.defect.what}: {self.detail}; {self.defect.action}."


INCOMPLETE = Defect("warning", "Incomplete or another release", "what is there is used")
MISSING_FILE = Defect("error", "Listed file missing", "reading it fails; fetch the data set again")
MISSING_PATIENT = Defect("error", "Listed patient missing", "reading it fails; fetch the data set again")
UNREADABLE = Defect("error", "Cannot be read", "reading it fails; fetch the file again")
LISTED_TWICE = Defect("warning", "Listed twice", "the first row counts")
UNKNOWN_SPLIT = Defect("error", "Unknown split", "left out of every split")
UNLISTED = Defect("warning", "File that is not listed", "ignored")
UNTRACED = Defect("warning", "Video without a usable trace", "kept without labels: it counts for EF, not for masks")
ORPHAN_TRACE = Defect("warning", "Trace without a listed video", "ignored")
REPEATED_ROWS = Defect("note", "Repeated trace rows", "the repeats are dropped, which leaves one whole trace")
SEVERAL_TRACES = Defect("warning", "Several different traces of one frame", "that frame is left unlabelled")
ODD_LENGTH = Defect("warning", "Trace of an odd length", "that frame is left unlabelled")
NOT_A_NUMBER = Defect("warning", "Trace with coordinates that are no numbers", "that frame is left unlabelled")
POINTS_LEFT_OUT = Defect("note", "Outline with points that are no numbers", "those points are left out")
TOO_FEW_POINTS = Defect("warning", "Outline of fewer than three points", "that frame is left unlabelled")
OUTSIDE = Defect("note", "Trace reaches outside the frame", "the mask is cut at the edge")
PHASE_MISSING = Defect("note", "Phase marked as missing", "no label for it; the frame that remains is the other phase")
FROM_ONE = Defect("note", "Frames counted from 1", "1 is taken off every frame number")
BAD_FRAME = Defect("warning", "Frame number that is no number", "that label is left out")
NO_SUCH_FRAME = Defect("warning", "Label without a frame", "that label is left out")
EMPTY_MASK = Defect("warning", "Outline that encloses no pixel", "that frame is left unlabelled")
ED_LISTED_LAST = Defect("note", "ED listed last", "the larger mask is ED, whatever the order")
ES_FIRST = Defect("note", "ES before ED", "kept in the order of time")
OTHER_SIZE = Defect("note", "Frames that are not 112x112", "kept at their own size")
RESCALED_TRACE = Defect("warning", "Frames of another size than listed", "the trace is scaled to the frames")
OTHER_COUNT = Defect("warning", "Another number of frames than listed", "the file's own number counts")
EF_DIFFERS = Defect("warning", "EF that does not follow from EDV and ESV", "EF is taken as listed")
NO_SEQUENCE = Defect("warning", "No half sequence where others have one", "ED and ES are given as single frames")
NO_MASK = Defect("note", "Frames without masks", "given without labels")
TRANSPOSED_MASK = Defect("warning", "Mask stored transposed", "turned to fit its image")
ORIENTATION = Defect("warning", "Left atrium not below the ventricle", "used as it is: check the orientation")
OTHER_FRAME = Defect("warning", "ED or ES frame other than the cfg says", "the frame that equals the still counts")
UNKNOWN_LABEL = Defect("warning", "Mask with unknown labels", "only label 1, the cavity, is used")
LABEL_WITHOUT_FRAME = Defect("error", "Label on a frame that the cine lacks", "that label is left out; mend labels.csv")
BAD_LABEL = Defect("error", "Label that cannot be used", "that label is left out; mend labels.csv")
SPLIT_DRAWN = Defect("note", "No split given", "drawn by the patient's name: 8 in 10 train, 1 validates, 1 tests")
NO_BEAT = Defect("warning", "Masks in a row that show no beat", "no frame is marked ED or ES: state the phases")
UNKNOWN_VIEW = Defect("warning", "Unknown view", "kept under the name given")
RARE_FRAME_RATE = Defect("warning", "Frame rate outside 15 to 200 a second", "used as it is: ED and ES will be coarse")
READING = Defect("warning", "Oddity on reading", "see the detail")

ALL = tuple(value for value in list(globals().values()) if isinstance(value, Defect))
"""Every defect of this file."""

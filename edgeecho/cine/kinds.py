"""File formats of cines, by their suffixes."""

from pathlib import Path

VIDEO_SUFFIXES = frozenset({".avi", ".mp4", ".mov", ".m4v", ".webm", ".mkv", ".gif"})
STILL_SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})
DICOM_SUFFIXES = frozenset({".dcm", ".dicom"})
SUFFIXES = (*VIDEO_SUFFIXES, *STILL_SUFFIXES, *DICOM_SUFFIXES, ".npz", ".nii.gz", ".nii")
KINDS = "AVI, MP4, MOV, WEBM, MKV, GIF, PNG, JPG, NPZ, DICOM, NIfTI or a folder of PNG frames"


def suffix_of(path: Path) -> str:
    """Return the suffix in lower case if it is one of `SUFFIXES`, else an empty string."""
    return next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), "")

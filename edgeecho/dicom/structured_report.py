"""The structured report: a Comprehensive SR by TID 1500 (PS3.16) with the figures of a cine, made by highdicom.

Names are the codes of PS3.16 for the left ventricle in echo (CID 12202 of TID 5202): see `CONCEPTS`. An EF that is
withheld is not in it; the reasons are.
"""

from pathlib import Path
from typing import Any

from edgeecho.dicom.objects import (
    MANUFACTURER,
    SERIES,
    Content,
    algorithm_of,
    one_line_errors,
    uids_of,
    write_object,
)
from edgeecho.dicom.origin import uid_of
from edgeecho.errors import require
from edgeecho.model.spec import NOTICE

CONCEPTS = {
    "ef_percent": ("18043-0", "LN", "Left Ventricular Ejection Fraction by US", ("%", "Percent")),
    "edv_ml": ("18026-5", "LN", "Left Ventricular End Diastolic Volume", ("ml", "milliliter")),
    "esv_ml": ("18148-7", "LN", "Left Ventricular End Systolic Volume", ("ml", "milliliter")),
    "sv_ml": ("90096001", "SCT", "Stroke Volume", ("ml", "milliliter")),
    "heart_rate_bpm": ("8867-4", "LN", "Heart rate", ("{H.B.}/min", "Heart beat per minute")),
}
"""Code, scheme, meaning and unit (UCUM) of each figure."""
METHOD = ("125208", "DCM", "Method of Disks, Single Plane")
"""Code of the method of EF and volumes."""
_FRAMES_OF = {"edv_ml": ("ed_frame",), "esv_ml": ("es_frame",)}
"""Frames of a beat on which these figures are measured; all others are measured on both."""


def write_structured_report(path: Path, content: Content) -> None:
    """Write NAME.sr.dcm.

    Args:
        path: Path of the file.
        content: The result.

    Raises:
        MissingExtraError: If highdicom is not installed.
        OutputError: If it cannot be written.
    """
    sr = require("highdicom.sr", "dicom-out")
    with one_line_errors(path):
        origin, figures = content.origin, content.figures
        instance, series = uids_of(content, "sr")
        model, (number, description) = figures["model"], SERIES["sr"]
        device = sr.DeviceObserverIdentifyingAttributes(
            uid=uid_of("device", model["sha256"]),
            name=MANUFACTURER,
            manufacturer_name=MANUFACTURER,
            model_name=model["name"],
        )
        context = sr.ObservationContext(
            observer_device_context=sr.ObserverContext(_code(sr, "121007", "DCM", "Device"), device)
        )
        report = sr.MeasurementReport(
            observation_context=context,
            procedure_reported=_code(sr, "40701008", "SCT", "Echocardiography"),
            imaging_measurements=_groups(sr, content),
            title=_code(sr, "126000", "DCM", "Imaging Measurement Report"),
        )
        made = sr.ComprehensiveSR(
            evidence=[origin.image],
            content=report[0],
            series_instance_uid=series,
            series_number=number,
            sop_instance_uid=instance,
            instance_number=1,
            manufacturer=MANUFACTURER,
            manufacturer_model_name="edgeecho",
            software_versions=algorithm_of(figures)[1],
            is_complete=figures["verdict"] != "withhold",
            series_description=description,
            specific_character_set="ISO_IR 192",
        )
        for keyword in ("InstanceCreationDate", "InstanceCreationTime"):
            made.pop(keyword, None)
        for keyword in ("ContentDate", "SeriesDate"):
            setattr(made, keyword, origin.date)
        for keyword in ("ContentTime", "SeriesTime"):
            setattr(made, keyword, origin.time)
        for equipment in made.ContributingEquipmentSequence:
            equipment.ContributionDateTime = origin.date + origin.time
        write_object(path, made)


def remarks(content: Content) -> list[str]:
    """Return the sentences of a report: verdict, reasons, corrections, and what the software is."""
    figures = content.figures
    lines = [f"Verdict: {figures['verdict']}."]
    if figures["verdict"] == "withhold":
        lines.append("EF and volumes are withheld.")
    if ends := figures.get("ef_interval"):
        lines.append(f"EF interval for 90% of patients: {ends[0]:.1f} to {ends[1]:.1f}%.")
    lines += [f"Reason ({reason['level']}): {reason['text']}" for reason in figures["reasons"]]
    lines += [f"Corrected by a person: {line}" for line in content.corrections]
    return [*lines, NOTICE]


def _groups(sr: Any, content: Content) -> list[Any]:
    """Return the group of the medians, and one for each beat that they are the medians of."""
    figures = content.figures
    used = [beat for beat in figures["beats"] if beat["is_used"]]
    median = _code(sr, "373099004", "SCT", "Median") if len(used) > 1 else None
    groups = [_group(sr, content, ("left ventricle", figures, used), median)]
    for line in remarks(content):
        comment = sr.TextContentItem(_code(sr, "121106", "DCM", "Comment"), line, sr.RelationshipTypeValues.CONTAINS)
        groups[0][0].ContentSequence.append(comment)
    if figures["verdict"] != "withhold" and len(used) > 1:
        groups += [_group(sr, content, (f"beat {number}", beat, [beat]), None) for number, beat in enumerate(used, 1)]
    return groups


def _group(sr: Any, content: Content, of: tuple[str, Any, list[Any]], derivation: Any) -> Any:
    """Return the measurements of a cine or of a beat (TID 1501); `of` is its name, its figures and its beats."""
    name, figures, beats = of
    image = content.origin.image
    algorithm, version, parameters = algorithm_of(content.figures)
    made = []
    for key, (value, scheme, meaning, unit) in CONCEPTS.items():
        if figures[key] is None:
            continue
        found = {beat[at] + 1 for beat in beats for at in _FRAMES_OF.get(key, ("ed_frame", "es_frame"))}
        frames = sorted(found) if found and content.is_multi_frame else None
        made.append(
            sr.Measurement(
                name=_code(sr, value, scheme, meaning),
                value=figures[key],
                unit=_code(sr, unit[0], "UCUM", unit[1]),
                derivation=derivation,
                method=None if key == "heart_rate_bpm" else _code(sr, *METHOD),
                referenced_images=[sr.SourceImageForMeasurement(image.SOPClassUID, image.SOPInstanceUID, frames)],
            )
        )
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid_of("tracking", name, content.sha256), name),
        algorithm_id=sr.AlgorithmIdentification(
            algorithm, version, parameters, _code(sr, "123110", "DCM", "Artificial Intelligence"), MANUFACTURER
        ),
        finding_sites=[sr.FindingSite(_code(sr, "87878005", "SCT", "Left ventricle"))],
        measurements=made,
        source_images=[sr.SourceImageForMeasurementGroup(image.SOPClassUID, image.SOPInstanceUID)],
    )


def _code(sr: Any, value: str, scheme: str, meaning: str) -> Any:
    return sr.CodedConcept(value, scheme, meaning)

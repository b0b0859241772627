"""The diagnostic report: FHIR R4 JSON, one DiagnosticReport that contains its Observations and the algorithm."""

import json
from pathlib import Path
from typing import Any

from edgeecho.dicom.objects import MANUFACTURER, Content, algorithm_of
from edgeecho.dicom.origin import UNKNOWN_DATE, uid_of
from edgeecho.dicom.structured_report import CONCEPTS, METHOD, remarks
from edgeecho.files import atomic
from edgeecho.report.marks import verdict_in_words

_SYSTEMS = {
    "LN": "http://loinc.org",
    "SCT": "http://snomed.info/sct",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
}
_UCUM = "http://unitsofmeasure.org"
_UNITS = {"ef_percent": "%", "edv_ml": "mL", "esv_ml": "mL", "sv_ml": "mL", "heart_rate_bpm": "/min"}


def report_of(content: Content) -> dict[str, Any]:
    """Return the DiagnosticReport of a cine.

    Its status is `preliminary`, as no person has signed it. The patient is named by an identifier alone. A figure that
    is withheld has no Observation; the conclusion tells why.

    Args:
        content: The result.
    """
    figures, origin = content.figures, content.origin
    shared: dict[str, Any] = {"status": "preliminary"}
    if origin.image.PatientID:
        shared["subject"] = {"identifier": {"value": str(origin.image.PatientID)}}
    if origin.date != UNKNOWN_DATE:
        shared["effectiveDateTime"] = f"{origin.date[:4]}-{origin.date[4:6]}-{origin.date[6:8]}"
    observations = [_observation(content, key, shared) for key in CONCEPTS if figures[key] is not None]
    return {
        "resourceType": "DiagnosticReport",
        "id": content.sha256[:32],
        "contained": [_device(content), *observations],
        **shared,
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:oid:{uid_of('fhir', content.sha256)}"}],
        "category": [_concept("http://terminology.hl7.org/CodeSystem/v2-0074", "CUS", "Cardiac Ultrasound")],
        "code": _concept(_SYSTEMS["LN"], "42148-7", "US Heart"),
        "result": [{"reference": f"#{observation['id']}"} for observation in observations],
        "imagingStudy": [
            {"identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{origin.image.StudyInstanceUID}"}}
        ],
        "conclusion": " ".join((verdict_in_words(figures) + ".", *remarks(content))),
    }


def write_report(path: Path, content: Content) -> None:
    """Write NAME.fhir.json.

    Raises:
        OutputError: If it cannot be written.
    """
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(report_of(content), indent=1) + "\n")


def _observation(content: Content, key: str, shared: dict[str, Any]) -> dict[str, Any]:
    value, scheme, meaning, _ = CONCEPTS[key]
    figures, unit = content.figures, _UNITS[key]
    made = {
        "resourceType": "Observation",
        "id": key.replace("_", "-"),
        **shared,
        "category": [_concept("http://terminology.hl7.org/CodeSystem/observation-category", "imaging", "Imaging")],
        "code": _concept(_SYSTEMS[scheme], value, meaning),
        "valueQuantity": {"value": figures[key], "unit": unit, "system": _UCUM, "code": unit},
        "bodySite": _concept(_SYSTEMS["SCT"], "87878005", "Left ventricle"),
        "device": {"reference": "#algorithm"},
    }
    if key != "heart_rate_bpm":
        made["method"] = _concept(_SYSTEMS[METHOD[1]], METHOD[0], METHOD[2])
    return made


def _device(content: Content) -> dict[str, Any]:
    name, version, parameters = algorithm_of(content.figures)
    return {
        "resourceType": "Device",
        "id": "algorithm",
        "identifier": [{"system": "urn:edgeecho:model-sha256", "value": content.figures["model"]["sha256"]}],
        "manufacturer": MANUFACTURER,
        "deviceName": [{"name": name, "type": "model-name"}],
        "version": [{"value": version}],
        "note": [{"text": text} for text in parameters],
    }


def _concept(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}

"""Results as other software takes them: DICOM objects, a FHIR report, pseudonyms, and sending."""

from edgeecho.dicom.corrected import remake_products
from edgeecho.dicom.kinds import DICOM_KINDS, PRODUCTS, product_files
from edgeecho.dicom.objects import Content
from edgeecho.dicom.origin import origin_of
from edgeecho.dicom.products import write_products
from edgeecho.dicom.pseudonyms import Pseudonyms
from edgeecho.dicom.send import Target, send_files

__all__ = [
    "DICOM_KINDS",
    "PRODUCTS",
    "Content",
    "Pseudonyms",
    "Target",
    "origin_of",
    "product_files",
    "remake_products",
    "send_files",
    "write_products",
]

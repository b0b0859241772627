"""Licences of the data sets: a short identifier each, which weights trained on them carry, and its terms in a sentence.

The identifiers are SPDX's where it has one and `LicenseRef-` identifiers elsewhere, as
`edgeecho.model.spec.check_licence` demands.
"""

APACHE = "Apache-2.0"
CAMUS = "CC-BY-NC-SA-4.0"
ECHONET_DYNAMIC = "LicenseRef-EchoNet-Dynamic"
ECHONET_PEDIATRIC = "LicenseRef-EchoNet-Pediatric"
OWN_DATA = "LicenseRef-own-data"
SEVERAL = "LicenseRef-several"
"""Identifier for weights whose licences are too many for `ModelSpec.licence`."""

TERMS = {
    APACHE: "Apache License 2.0: free use, with notices kept (apache.org/licenses/LICENSE-2.0).",
    CAMUS: "Creative Commons Attribution-NonCommercial-ShareAlike 4.0: name the authors, no commercial use, "
    "pass on under the same licence (creativecommons.org/licenses/by-nc-sa/4.0).",
    ECHONET_DYNAMIC: "Stanford's research use agreement of EchoNet-Dynamic: research only, no commercial use, the data "
    "are not passed on; the full text is shown at registration (echonet.github.io/dynamic).",
    ECHONET_PEDIATRIC: "Stanford's research use agreement of EchoNet-Pediatric: research only, no commercial use, the "
    "data are not passed on; the full text is shown at registration (echonet.github.io/pediatric).",
    OWN_DATA: "Own data: the terms under which the owner of the data gave it; the owner of the weights states them.",
    SEVERAL: "All the licences listed under `trained_on` apply together.",
}
"""Terms of each identifier that EdgeEcho writes, and where they are published."""


def terms_of(licence: str) -> list[str]:
    """Return the terms of every identifier of `TERMS` in a licence expression, a sentence each, in order."""
    return [TERMS[part] for part in licence.replace("(", " ").replace(")", " ").split() if part in TERMS]

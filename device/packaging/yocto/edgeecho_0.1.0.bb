SUMMARY = "Left ventricle in live echo frames"
DESCRIPTION = "C library that outlines the left ventricle and measures the ejection fraction. Not a medical device."
SECTION = "libs"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

# Only the header; the library is loaded by the first edgeecho_open.
DEPENDS = "onnxruntime"

# The tarball of `make dist`.
SRC_URI = "file://edgeecho-device-${PV}.tar.gz"

S = "${UNPACKDIR}/edgeecho-device-${PV}"
# Before Yocto 5.1 files are unpacked elsewhere.
UNPACKDIR ??= "${WORKDIR}"

inherit cmake pkgconfig

EXTRA_OECMAKE = "-DEDGEECHO_INSTALL_ONNXRUNTIME=OFF"

RDEPENDS:${PN} += "onnxruntime"

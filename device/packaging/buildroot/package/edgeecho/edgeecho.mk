################################################################################
#
# edgeecho
#
################################################################################

EDGEECHO_VERSION = 0.1.0
EDGEECHO_SOURCE = edgeecho-device-$(EDGEECHO_VERSION).tar.gz
EDGEECHO_SITE = $(EDGEECHO_PKGDIR)
EDGEECHO_SITE_METHOD = file
EDGEECHO_LICENSE = Apache-2.0
EDGEECHO_LICENSE_FILES = LICENSE
EDGEECHO_INSTALL_STAGING = YES
EDGEECHO_CONF_OPTS = \
	-DONNXRUNTIME_ROOT=$(call qstrip,$(BR2_PACKAGE_EDGEECHO_ONNXRUNTIME_ROOT)) \
	-DEDGEECHO_INSTALL_ONNXRUNTIME=ON

$(eval $(cmake-package))

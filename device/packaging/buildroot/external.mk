include $(sort $(wildcard $(BR2_EXTERNAL_EDGEECHO_PATH)/package/*/*.mk))

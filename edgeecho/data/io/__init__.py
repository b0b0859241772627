"""Files of data sets: tables, outlines, AVI headers and MetaImage, read into arrays."""

"""Does the conditioning hold a character? Measured on drawn people that no training has seen."""

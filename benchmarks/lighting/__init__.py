"""Are faults of light found with their numbers, and faultless films left alone? On drawn films whose truth is known."""

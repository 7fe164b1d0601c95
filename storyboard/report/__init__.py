"""What came of a film, in figures and as pages: of a render, and of a check."""

"""The film's sound: voices, ambience, the mix, its loudness, and captions.

Sound in memory is float32 at 48 kHz, full scale 1.0, of shape (samples, 2): left and right.
"""

"""The toon world: our own procedural cartoon, from which the embedded model learns.

Every clip is a deterministic function of (characters, scene). `character` says who, `style` in whose hand,
`place` where, `pose` what they do, `figure` draws one of them, `scene` puts it all before the camera.
"""

"""How well the embedded model does what a prompt says."""

"""From the kept takes to the film: light, sound, delivery and marks; and edits and requests for other systems."""

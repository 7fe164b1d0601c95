"""From a Script to a checked storyboard: the planner, and the board itself, which a person can read and edit."""

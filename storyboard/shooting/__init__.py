"""From a board to a take of every shot: who is in it, what the model is asked for, and what is kept in the run folder."""

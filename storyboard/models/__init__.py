"""The shelf of models and encoder sets: what can be fetched, how it is fetched, and what is here."""

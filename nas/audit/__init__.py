"""How far a short training can be trusted: long trainings of some networks, and what they say."""

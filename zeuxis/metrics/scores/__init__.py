"""How near a picture comes to its original: a file for each score, whose `SCORE` says what it is and measures it."""

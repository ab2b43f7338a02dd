"""Policies of augmentation: a file for each, whose `POLICY` says what is done to a picture."""

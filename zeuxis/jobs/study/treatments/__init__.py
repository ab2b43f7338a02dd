"""What a study can try: a file for each treatment, whose `TREATMENT` says what stands beside the real pictures."""

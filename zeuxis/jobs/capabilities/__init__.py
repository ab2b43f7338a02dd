"""What a recipe can do, a file each: what is written at the end of its run, and how it is judged."""

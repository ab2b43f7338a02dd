"""Measures between two sets of pictures, a file each."""

"""Holes filled without a network: a file for each method, whose `fill(image, known, draw)` it is.

Pictures [N, C, H, W] in [-1, 1] and masks [N, 1, H, W], 1 where a pixel is known. Known pixels come out bit for bit.
"""

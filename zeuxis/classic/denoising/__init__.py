"""Noise taken out without a network: a file for each method, whose `denoise(image, sigma, draw)` it is.

Pictures [N, C, H, W] in [-1, 1]; sigma on the 0..255 scale: a number, [N] or [N, 1, 1, 1].
"""

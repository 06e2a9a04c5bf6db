"""Moves what this process takes for the date. Timers and monotonic clocks stay as they are."""

import time


def shift(seconds):
    real = time.time
    time.time = lambda: real() + seconds

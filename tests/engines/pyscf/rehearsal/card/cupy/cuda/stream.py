"""Streams and events: work is done when it is asked for."""

import time


class Stream:
    """A queue that is always empty."""

    ptr = 0
    null = None

    def __init__(self, *_, **__):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def synchronize(self):
        pass

    def use(self):
        return self


class Event:
    """A moment."""

    def __init__(self, *_, **__):
        self.moment = 0.0

    def record(self, *_):
        self.moment = time.perf_counter()

    def synchronize(self):
        pass


def get_current_stream():
    return Stream()


def get_elapsed_time(start, end):
    """Give milliseconds."""
    return (end.moment - start.moment) * 1e3

"""The device that a block of code computes on."""


class Device:
    """One card; entering it changes nothing, since all are the host."""

    def __init__(self, number=0):
        self.id = number

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def __eq__(self, other):
        return self.id == getattr(other, "id", other)

    def __hash__(self):
        return self.id

    def synchronize(self):
        pass

    @property
    def mem_info(self):
        from cupy.cuda import runtime

        return runtime.memGetInfo()


def get_device_id():
    return 0


def get_cusolver_handle():
    return 0


def get_cublas_handle():
    return 0

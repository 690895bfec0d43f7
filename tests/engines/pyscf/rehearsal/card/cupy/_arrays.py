"""The array on the card: NumPy's, wrapped so that nothing but `get` brings it back to the host."""

import numpy as np

from cupy.cuda import memory

VIEWS = ("reshape", "ravel", "transpose", "swapaxes", "squeeze", "diagonal")
METHODS = (
    "sum max min mean prod any all argmax argmin argsort argpartition partition trace cumsum round repeat take nonzero "
    "astype copy dot conj conjugate flatten fill sort clip std var searchsorted compress choose ptp"
).split()
ATTRIBUTES = ("shape", "dtype", "ndim", "size", "nbytes", "itemsize", "strides", "flags")


def refuse_host(values):
    """Raise CuPy's error if an array of the host is among these values, or within their lists."""
    for value in values:
        if isinstance(value, np.ndarray) and value.ndim:
            raise TypeError(f"Unsupported type {type(value)}")
        if isinstance(value, (list, tuple)):
            refuse_host(value)


def down(value):
    """Give the host's arrays for those of the card, also within lists and dictionaries."""
    if isinstance(value, ndarray):
        return value._there
    if isinstance(value, (list, tuple)):
        return type(value)(map(down, value)) if not hasattr(value, "_fields") else type(value)(*map(down, value))
    if isinstance(value, dict):
        return {name: down(each) for name, each in value.items()}
    return value


def up(value):
    """Give arrays of the card for NumPy's; numbers too stay there, as arrays without dimensions."""
    if isinstance(value, (np.ndarray, np.number, np.bool_)):
        return ndarray._of(np.asarray(value))
    if isinstance(value, (list, tuple)):
        return type(value)(map(up, value)) if not hasattr(value, "_fields") else type(value)(*map(up, value))
    return value


class ndarray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array on the card."""

    def __init__(self, shape=(), dtype=float, memptr=None, strides=None, order="C"):
        if memptr is None:
            self._there = memory.counted(np.empty(shape, dtype, order or "C"))
        else:
            self._there = np.ndarray(shape, dtype, memptr.buffer(), strides=strides, order=order)

    @classmethod
    def _of(cls, array):
        made = object.__new__(cls)
        made._there = memory.counted(array)
        return made

    @property
    def data(self):
        return memory.MemoryPointer(self._there)

    @property
    def device(self):
        from cupy.cuda import Device

        return Device(0)

    @property
    def T(self):
        return type(self)._of(self._there.T)

    @property
    def real(self):
        return type(self)._of(self._there.real)

    @property
    def imag(self):
        return type(self)._of(self._there.imag)

    def get(self, stream=None, order="C", out=None, blocking=True):
        if out is None:
            return np.array(self._there)
        out[...] = self._there
        return out

    def set(self, array, stream=None):
        if not isinstance(array, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        self._there[...] = array

    def item(self, *index):
        return self._there.item(*index)

    def tolist(self):
        return self._there.tolist()

    def view(self, kind=None):
        if isinstance(kind, type) and issubclass(kind, ndarray):
            return kind._of(self._there)
        return type(self)._of(self._there if kind is None else self._there.view(kind))

    def __array__(self, *_, **__):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **words):
        refuse_host((*inputs, *(out or ())))
        if out is not None:
            words["out"] = down(out)
        result = getattr(ufunc, method)(*down(inputs), **down(words))
        return out[0] if out is not None else up(result)

    def __array_function__(self, function, types, arguments, words):
        refuse_host((*arguments, *words.values()))
        return up(function(*down(arguments), **down(words)))

    def __getitem__(self, index):
        found = self._there[down(index)]
        return type(self)._of(np.asarray(found)) if isinstance(found, (np.ndarray, np.generic)) else found

    def __setitem__(self, index, value):
        refuse_host((value,))
        self._there[down(index)] = down(value)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __len__(self):
        return len(self._there)

    def __bool__(self):
        return bool(self._there)

    def __int__(self):
        return int(self._there)

    def __index__(self):
        return self._there.__index__()

    def __float__(self):
        return float(self._there)

    def __complex__(self):
        return complex(self._there)

    def __repr__(self):
        return f"on the card: {self._there!r}"

    def __format__(self, how):
        return format(self._there, how)


def _attribute(name):
    return property(lambda self: getattr(self._there, name))


def _method(name, is_view):
    def call(self, *arguments, **words):
        refuse_host(arguments)
        result = getattr(self._there, name)(*down(arguments), **down(words))
        if words.get("out") is not None:
            return words["out"]
        return type(self)._of(result) if is_view else up(result)

    return call


for _name in ATTRIBUTES:
    setattr(ndarray, _name, _attribute(_name))
for _name in (*VIEWS, *METHODS):
    setattr(ndarray, _name, _method(_name, _name in VIEWS))


def array(values, dtype=None, copy=True, order="K", **_):
    """Make an array on the card, from the host's or from there."""
    return ndarray._of(np.array(down(values), dtype=dtype, order=order))


def asarray(values, dtype=None, order=None, blocking=False):
    """Make an array on the card; one that is there already and fits is given as it is."""
    if isinstance(values, ndarray):
        there = np.asarray(values._there, dtype=dtype, order=order)
        return values if there is values._there else ndarray._of(there)
    return array(values, dtype, order=order or "K")


def ascontiguousarray(values, dtype=None):
    """Make an array on the card in C's order."""
    return asarray(values, dtype, order="C")


def asfortranarray(values, dtype=None):
    """Make an array on the card in Fortran's order."""
    return asarray(values, dtype, order="F")


def asnumpy(values, stream=None, order="C", out=None, blocking=True):
    """Bring an array to the host."""
    return values.get(out=out) if isinstance(values, ndarray) else np.asarray(values)

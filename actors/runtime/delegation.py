"""`of`: a method of an object that one of its parts does.

    class Car:
        start = of("_engine", Engine.start)

        def __init__(self) -> None:
            self._engine = Engine()

`car.start` is `car._engine.start`, bound once and kept in the instance, so it costs no call more;
`Car.start(car)` does the same, and has the text and signature of `Engine.start`. A class derived
from `Car` may override it. The part must stay the same object.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


def of(part: str, method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """`method` of what the instance has as its attribute `part`."""
    return cast("Callable[Concatenate[Any, P], R]", _Delegated(part, method))


class _Delegated:
    __slots__ = ("__doc__", "_as", "_method", "_part", "_unbound")

    def __init__(self, part: str, method: Callable[..., Any]) -> None:
        self._part = part
        self._method = method
        self._as = ""
        self._unbound = _unbound(part, method)
        self.__doc__ = method.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._as = name
        self._unbound.__qualname__ = f"{owner.__qualname__}.{name}"

    def __get__(self, whole: Any, owner: type) -> Any:
        if whole is None:
            return self._unbound
        bound = getattr(getattr(whole, self._part), self._method.__name__)
        # What a derived class has in its place must still be found.
        if inspect.getattr_static(type(whole), self._as) is self:
            whole.__dict__[self._as] = bound
        return bound


def _unbound(part: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """What the class has: a function of the whole, of the method's kind."""
    name = method.__name__
    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def waiting(whole: Any, /, *args: Any, **kwargs: Any) -> Any:
            return await getattr(getattr(whole, part), name)(*args, **kwargs)

        return waiting

    @functools.wraps(method)
    def unbound(whole: Any, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(getattr(whole, part), name)(*args, **kwargs)

    return unbound

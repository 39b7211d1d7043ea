"""The parameters of an action: one frozen dataclass, which planning builds and making receives.

In keys, in the stored graph and in the file that describes an action to another process they are JSON; `as_json` writes
it, `read_params` reads it back strictly. A field is a str, int, float, bool or None, a Digest, a Literal, a tuple of
these, a Mapping from str to these, another frozen dataclass, or a union of one of these and None.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypedDict, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from packyard.formats.digest import Digest
from packyard.formats.errors import FormatError, Problem
from packyard.tasks.target.room import Room
from packyard.tasks.target.target import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """The parameters of an action. Everything that decides its result is in a field, or in its inputs; `epoch`, where
    an action has it, is the SOURCE_DATE_EPOCH (in seconds) of the tools that it starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoParams(Params):
    """The parameters of an action that is decided by its inputs alone."""


P = TypeVar("P", bound=Params)

_PLAIN = frozenset({str, int, float, bool, type(None)})


class Call(TypedDict):
    """The fields of a Target that say what makes it."""

    run: str
    params: Mapping[str, Json]


def call(make: Callable[[Room[P]], None], params: P) -> Call:
    """The call of an action's function with its parameters, as fields of a Target: `Target(**call(make_x, XParams()))`.
    The function stands at the top level of its module, so that any process finds it by name."""
    return Call(run=f"{make.__module__}:{make.__qualname__}", params=as_json(params))


def typed(function: Callable[[Room[P]], None], room: Room[Json]) -> Room[P]:
    """The room with its parameters as `function` declares them (`room: Room[XParams]`); FormatError if the JSON does
    not say exactly those."""
    wanted = _params_of(function)
    return cast(Room[P], room if wanted is None else dataclasses.replace(room, params=read_params(wanted, room.params)))


def argument(function: Callable[..., None], value: Json) -> Any:
    """The first argument of a Prepare's function, as it declares it (`params: XParams`); FormatError if the JSON does
    not say exactly that."""
    wanted = next(iter(get_type_hints(function).values()), None)
    return read_params(wanted, value) if isinstance(wanted, type) and issubclass(wanted, Params) else value


def as_json(value: Any) -> Json:
    """A dataclass of parameters, and what its fields hold, as JSON."""
    if type(value) in _PLAIN:  # most are, and a plan asks for those of every target
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, (type, Digest)):
        return {name: as_json(getattr(value, name)) for name in _fields(type(value))}
    if isinstance(value, (tuple, list)):
        return [as_json(one) for one in value]
    if isinstance(value, Mapping):
        return {name: as_json(one) for name, one in value.items()}
    return str(value) if isinstance(value, Digest) else value


def read_params(kind: type[P], value: Json) -> P:
    """The parameters that `as_json` wrote; FormatError if they are not exactly the fields of `kind`."""
    read: P = _dataclass(kind, value, "params")
    return read


@cache
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _params_of(function: Callable[..., None]) -> type[Params] | None:
    """The dataclass that the function's room is annotated with."""
    hints = {name: hint for name, hint in get_type_hints(function).items() if name != "return"}
    args = get_args(next(iter(hints.values()), None))
    return args[0] if args and args[0] is not Any else None


def _dataclass(kind: type, value: Json, place: str) -> Any:
    if not isinstance(value, Mapping):
        raise _wrong(place, value, "a table")
    hints = _hints(kind)
    if odd := [*(set(value) - set(hints)), *(set(hints) - set(value))]:
        raise FormatError(*(Problem("expected exactly the fields of " + kind.__name__, f"{place}.{x}") for x in odd))
    return kind(**{name: _value(hint, value[name], f"{place}.{name}") for name, hint in hints.items()})


def _value(hint: Any, value: Json, place: str) -> Any:
    if hint is Any:
        return value
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _either(args, value, place)
    if origin is tuple:
        return _tuple(args, value, place)
    if origin is Literal:
        if value in args:
            return value
        raise _wrong(place, value, " or ".join(map(repr, args)))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(args, value, place)
    if hint is Digest:
        return Digest.parse(_value(str, value, place))
    if dataclasses.is_dataclass(hint):
        return _dataclass(cast(type, hint), value, place)
    if type(value) is hint or (hint is float and type(value) is int):
        return value
    raise _wrong(place, value, hint.__name__)


def _either(args: tuple[Any, ...], value: Json, place: str) -> Any:
    """A value that may be None."""
    if value is None and type(None) in args:
        return None
    [hint] = [one for one in args if one is not type(None)]
    return _value(hint, value, place)


def _tuple(args: tuple[Any, ...], value: Json, place: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise _wrong(place, value, "a list")
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_value(args[0], one, f"{place}[{at}]") for at, one in enumerate(value))
    if len(args) != len(value):
        raise _wrong(place, value, f"{len(args)} values")
    return tuple(_value(hint, one, f"{place}[{at}]") for at, (hint, one) in enumerate(zip(args, value)))


def _mapping(args: tuple[Any, ...], value: Json, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(place, value, "a table")
    return {name: _value(args[1], one, f"{place}.{name}") for name, one in value.items()}


def _wrong(place: str, value: Json, expected: str) -> FormatError:
    return FormatError(Problem(f"{value!r}; expected {expected}", place))

"""YAML from a stranger: plain data only, in bounded memory and time."""

import datetime as dt
import re
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import ConstructorError

_DEPTH = 32
_NODES = 400_000
_NUMBER_LENGTH = 100
# A number without a point, such as 1e-5, is a number to NeMo's own reader (OmegaConf) but text to YAML 1.1.
_SHORT_FLOAT = re.compile(r"^[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+$")


class _Reader(Composer, yaml.CSafeLoader):
    """LibYAML's parser with PyYAML's composer: fast, and its nesting can be bounded."""

    def __init__(self, text: bytes) -> None:
        yaml.CSafeLoader.__init__(self, text)
        Composer.__init__(self)
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """One node and what is in it, within a bounded depth."""
        self._depth += 1
        if self._depth > _DEPTH:
            raise yaml.YAMLError(f"nested deeper than {_DEPTH}")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def compose_scalar_node(self, anchor: Any) -> Any:
        """One value; a number of a million digits would take minutes to become one."""
        node = super().compose_scalar_node(anchor)
        if len(node.value) > _NUMBER_LENGTH and node.tag.endswith((":int", ":float", ":timestamp")):
            raise yaml.YAMLError(f"a number of {len(node.value)} characters")
        return node

    def flatten_mapping(self, node: Any) -> None:
        """Merge keys are left out: nested, a few lines of them fill any memory; NeMo writes none."""
        if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
            raise ConstructorError(None, None, "merge keys (<<) are not read", node.start_mark)


_Reader.add_implicit_resolver("tag:yaml.org,2002:float", _SHORT_FLOAT, list("-+0123456789"))


def read_yaml(text: bytes) -> Any:
    """Lists, dictionaries with text keys, text, numbers, booleans and None; dates become text.

    Raises
    ------
    ValueError
        Anything else: not YAML, Python tags, sets, bytes, too deep, or aliases that grow it beyond a bound.
    """
    try:
        return _Copy().of(_Reader(text).get_single_data())
    except (yaml.YAMLError, RecursionError, OverflowError, TypeError) as error:
        raise ValueError((str(error) or type(error).__name__).splitlines()[0]) from error


class _Copy:
    """A copy without shared parts: an alias counts wherever it stands, so that nobody walks into a bomb later."""

    def __init__(self) -> None:
        self._nodes = 0

    def of(self, value: Any, depth: int = 0) -> Any:
        """Copy of a value and all that is in it; raises ValueError beyond the bounds and for what is not plain."""
        self._nodes += 1
        if self._nodes > _NODES or depth > _DEPTH:
            raise ValueError(f"its aliases make more than {_NODES} values or nest deeper than {_DEPTH}")
        if isinstance(value, dict):
            return {str(key): self.of(part, depth + 1) for key, part in value.items()}
        if isinstance(value, list):
            return [self.of(part, depth + 1) for part in value]
        if isinstance(value, dt.date):
            return value.isoformat()
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise ValueError(f"a {type(value).__name__} is not plain data")

"""Replies with blanks to fill in, such as `Hello, {{ end_user.name }}!`: expressions of Jinja, and only harmless ones.

Whoever writes a reply may be anybody who can reach the server, so nothing of it may call, repeat or calculate.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment, Template

MAX_TEMPLATE = 10_000
"""Characters of a reply with blanks."""
MAX_RENDERED = 100_000
"""Characters of what is made of it; the rest is left out."""

_FILTERS = ("capitalize", "default", "first", "join", "last", "length", "lower", "title", "trim", "truncate", "upper")


class TemplateError(ValueError):
    """A reply whose blanks cannot be filled in; the message says what is wrong."""


def is_template(text: str) -> bool:
    """Whether a reply has blanks at all."""
    return "{{" in text or "{%" in text


def check(text: str) -> str:
    """A reply; raises `TemplateError` for one with blanks that cannot be used."""
    if is_template(text):
        _compiled(text)
    return text


def render(text: str, names: Mapping[str, Any]) -> str:
    """The reply with its blanks filled in; what is not known is empty."""
    if not is_template(text):
        return text
    try:
        return _compiled(text).render(names)[:MAX_RENDERED]
    except Exception as error:  # noqa: BLE001 - filters raise what they like for values of another type
        return f"(the reply's template failed: {error})"


@lru_cache(maxsize=1_000)
def _compiled(text: str) -> "Template":
    from jinja2 import TemplateSyntaxError, nodes

    if len(text) > MAX_TEMPLATE:
        raise TemplateError(f"a reply with {{{{ }}}} takes at most {MAX_TEMPLATE} characters")
    environment = _environment()
    try:
        tree = environment.parse(text)
        for node in tree.find_all(nodes.Node):
            if not isinstance(node, _harmless()) or (isinstance(node, nodes.Filter) and node.name not in _FILTERS):
                name = getattr(node, "name", type(node).__name__)
                raise TemplateError(
                    f"{name} is not for replies: use names, members, comparisons, if, and the filters "
                    f"{', '.join(_FILTERS)}"
                )
        return environment.from_string(text)
    except (TemplateSyntaxError, RecursionError) as error:
        raise TemplateError(f"not a template: {error}; write {{{{ '{{{{' }}}} for braces meant as they are") from None


def _harmless() -> tuple[type[Any], ...]:
    """The parts of an expression that neither call nor repeat nor calculate anything."""
    from jinja2 import nodes

    text = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.CondExpr)
    values = (nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const, nodes.Filter, nodes.Test)
    return (*text, *values, nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand)


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    from jinja2 import ChainableUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(undefined=ChainableUndefined, autoescape=False, cache_size=0)

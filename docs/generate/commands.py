"""docs/commands.md, made from the commands and settings themselves."""

from collections.abc import Iterator
from typing import Any, get_args

import click
from pydantic.fields import FieldInfo

from fake_convai.settings import ENVIRONMENT_PREFIX, Settings

_HEAD = """\
<!-- Made by `make openapi`: change fake_convai/settings.py or the commands, not this page. -->
# Commands and settings

## Settings

`fake-convai serve` takes each as an option or as a variable. The option beats the variable, and the variable beats the
default; a value that cannot be used stops the start with one line that names it. What is repeatable as an option is
separated by commas in a variable; what is off by default is turned on by the option alone, or by `true` in the
variable. The pytest fixture takes the same settings by name, such as `{"plan": "free"}`
([testing.md](testing.md#settings)).

| Option | Variable | Default | Meaning |
|---|---|---|---|"""


def commands_page(cli: click.Command) -> str:
    """The table of settings, and the help of every command of `cli`."""
    return "\n".join(_lines(cli)) + "\n"


def _lines(cli: click.Command) -> Iterator[str]:
    yield _HEAD
    yield from (_row(name, field) for name, field in Settings.model_fields.items())
    for names, command in _commands(cli, "fake-convai"):
        help_text = click.Context(command, info_name=names, terminal_width=100).get_help()
        yield from ("", f"## {names}", "", "```text", help_text, "```")


def _row(name: str, field: FieldInfo) -> str:
    choices = [f"`{choice}`" for choice in get_args(field.annotation) if isinstance(choice, str)]
    meaning = f"{field.description} One of {', '.join(choices)}." if choices else field.description
    variable = f"{ENVIRONMENT_PREFIX}{name.upper()}"
    return f"| `--{name.replace('_', '-')}` | `{variable}` | {_shown(field.default)} | {meaning} |"


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    return "" if default in (None, ()) else f"`{default}`"


def _commands(command: click.Command, names: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that can be run, by name, with the words that call it; before them `fake-convai` itself."""
    if not isinstance(command, click.Group) or command.name == "cli":
        yield names, command
    if isinstance(command, click.Group):
        for name, member in sorted(command.commands.items()):
            yield from _commands(member, f"{names} {name}")

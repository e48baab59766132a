"""docs/commands.md, made from the commands and settings themselves."""

from collections import Counter
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


_SHARED_BY = 3
"""An option that more commands than this have is told once for all of them."""


def commands_page(cli: click.Command) -> str:
    """The table of settings, and the help of every command of `cli`."""
    return "\n".join(_lines(cli)) + "\n"


def _lines(cli: click.Command) -> Iterator[str]:
    commands = list(_commands(cli, "fake-convai"))
    counted = Counter(line for names, command in commands for line in _options(names, command))
    shared = [line for line, times in counted.items() if times > _SHARED_BY]
    yield _HEAD
    yield from (_row(name, field) for name, field in Settings.model_fields.items())
    yield from ("", "## Commands", "", "Those that talk to a running server share these options:", "", *shared)
    for names, command in commands:
        if command is not cli:
            yield from ("", f"### {names}", "", *_command(names, command, set(shared)))


def _command(names: str, command: click.Command, shared: set[str]) -> Iterator[str]:
    context = click.Context(command, info_name=names)
    words = " ".join((command.help or "").split())
    yield f"`{' '.join([names, *command.collect_usage_pieces(context)])}`: {words[:1].lower()}{words[1:]}"
    options = _options(names, command)
    own = [line for line in options if line not in shared]
    if len(own) < len(options):
        yield ""
        yield "Takes the shared options."
    settings = {f"--{name.replace('_', '-')}" for name in Settings.model_fields}
    if sum(line.partition("`")[2].partition("`")[0].split()[0] in settings for line in own) > _SHARED_BY:
        own = [line for line in own if line.partition("`")[2].partition("`")[0].split()[0] not in settings]
        yield ""
        yield "Takes every setting above."
    if own:
        yield ""
        yield from own


def _options(names: str, command: click.Command) -> list[str]:
    """A line for each option but --help."""
    context = click.Context(command, info_name=names)
    lines = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None and "--help" not in parameter.opts:
            lines.append(f"- `{record[0]}`: {' '.join(record[1].split())}")
    return lines


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

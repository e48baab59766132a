"""docs/commands.md, made from the commands and settings themselves."""

from collections.abc import Collection, Iterator
from typing import Any, get_args

import click
from pydantic.fields import FieldInfo

from fake_convai.settings import Settings

_HEAD = """\
<!-- Made by `make openapi`: change fake_convai/settings.py or the commands, not this page. -->
# Commands and settings

## Settings

`fake-convai serve` and `exec` take each as an option or as a variable: `--log-level` is `FAKE_CONVAI_LOG_LEVEL`. The
option beats the variable. What is repeatable as an option is separated by commas in a variable; what is off by default
is turned on by the option alone, or by `true` in the variable. The pytest fixture takes the same by name, such as
`{"plan": "free"}` ([testing.md](testing.md#settings)).
"""


_SETTINGS = {f"--{name.replace('_', '-')}" for name in Settings.model_fields}
_ASKING = {"url", "api_key", "control_key"}
"""What a command takes that acts on an account of a running server."""


def commands_page(cli: click.Command) -> str:
    """The table of settings, and the help of every command of `cli`."""
    return "\n".join(_lines(cli)) + "\n"


def _lines(cli: click.Command) -> Iterator[str]:
    commands = dict(_commands(cli, "fake-convai"))
    asking = {names: one for names, one in commands.items() if {parameter.name for parameter in one.params} >= _ASKING}
    shared = [
        option
        for option in _options(asking["fake-convai reset"])
        if all(option in _options(one) for one in asking.values())
    ]
    yield _HEAD
    yield from (_row(name, field) for name, field in Settings.model_fields.items())
    yield from (
        "",
        "## Commands to a running server",
        "",
        "All of them take these; `--help` says what the others take.",
        "",
    )
    yield from (f"- `{name}`: {' '.join(meaning.split())}" for name, meaning in shared)
    yield from ("", "They are:", "")
    yield from (_command(names, command, shared) for names, command in asking.items())
    yield from ("", "## Other commands", "")
    yield from (_command(names, command, ()) for names, command in commands.items() if names not in asking)


def _command(names: str, command: click.Command, untold: Collection[tuple[str, str]]) -> str:
    usage = [piece for piece in command.collect_usage_pieces(click.Context(command)) if piece != "[OPTIONS]"]
    options = [option for option in _options(command) if option not in untold]
    if {name.split()[0].rstrip(",") for name, _ in options} >= _SETTINGS:
        options = [(name, meaning) for name, meaning in options if name.split()[0] not in _SETTINGS]
        usage.insert(0, "[SETTINGS]")
    words = " ".join(" ".join(part.split()).removesuffix(".") + "." for part in (command.help or "").split("\n\n"))
    shown = " ".join([names, *usage, *(f"[{name.split()[0]}]" for name, _ in options)])
    return f"- `{shown}`: {words[:1].lower()}{words[1:]}"


def _options(command: click.Command) -> list[tuple[str, str]]:
    """Name and meaning of each option but --help."""
    context = click.Context(command)
    records = [one.get_help_record(context) for one in command.get_params(context) if isinstance(one, click.Option)]
    return [record for record in records if record is not None and "--help" not in record[0]]


def _row(name: str, field: FieldInfo) -> str:
    choices = [f"`{choice}`" for choice in get_args(field.annotation) if isinstance(choice, str)]
    meaning = f"{field.description} One of {', '.join(choices)}." if choices else field.description
    return f"- `--{name.replace('_', '-')}`{_shown(field.default)}: {meaning}"


def _shown(default: Any) -> str:
    return "" if default in (None, (), False) else f" (`{default}`)"


def _commands(command: click.Command, names: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that can be run, by name, with the words that call it."""
    if isinstance(command, click.Group):
        for name, member in sorted(command.commands.items()):
            yield from _commands(member, f"{names} {name}")
    else:
        yield names, command

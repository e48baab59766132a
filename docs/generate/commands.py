"""docs/commands.md, made from the commands and settings themselves."""

from collections.abc import Iterator, Mapping
from typing import get_args

import click
from pydantic.fields import FieldInfo

from fake_convai.settings import Settings

_HEAD = """\
<!-- Made by `make openapi`: change fake_convai/settings.py or the commands, not this page. -->
# Commands and settings

## Settings

`fake-convai serve` and `exec` take each as an option, or as a variable, which the option beats: `--log-level` is
`FAKE_CONVAI_LOG_LEVEL`. A variable has commas between several values, and `true` for an option without a value. For
pytest: [testing.md](testing.md#settings).
"""

_ASKING = {"url", "api_key", "control_key"}
"""What a command takes that acts on an account of a running server."""


def commands_page(cli: click.Command) -> str:
    """The list of settings, and what every command of `cli` does."""
    return "\n".join(_lines(cli)) + "\n"


def _lines(cli: click.Command) -> Iterator[str]:
    commands = dict(_commands(cli, "fake-convai"))
    asking = {names: one for names, one in commands.items() if {parameter.name for parameter in one.params} >= _ASKING}
    yield _HEAD
    yield from (_row(name, field) for name, field in Settings.model_fields.items())
    shared = [one for one in asking["fake-convai reset"].params if one.name in _ASKING]
    shown = ", ".join(f"`{one.opts[0]}` (`{one.envvar}`)" for one in shared)
    yield from (
        "",
        "## Commands to a running server",
        "",
        f"They take {shown}; without them the server is on port 2668 of this machine, and they are about the whole of "
        "it, or ask for the key of an account. `--json` prints what it answered, `--help` says the rest. What does not "
        "work is one line on standard error and exit code 2.",
        "",
    )
    yield from _alike(asking, cli)
    yield from ("", "## Other commands", "")
    yield from _alike({names: one for names, one in commands.items() if names not in asking}, cli)


def _alike(commands: Mapping[str, click.Command], cli: click.Command) -> Iterator[str]:
    """A line for each command, and for each group with the commands that belong to it."""
    assert isinstance(cli, click.Group)
    groups: dict[str, list[str]] = {}
    helps: dict[str, str | None] = {}
    for names, command in commands.items():
        usage = [piece for piece in command.collect_usage_pieces(click.Context(command)) if piece != "[OPTIONS]"]
        _, group, *member = names.split()
        groups.setdefault(group, []).append(" ".join([*member, *usage]))
        helps[group] = cli.commands[group].help if group in helps else command.help
    for group, usages in groups.items():
        words = " ".join((helps[group] or "").partition("\n\n")[0].split()).removesuffix(".")
        first, *others = usages
        shown = ", ".join([f"`{f'fake-convai {group} {first}'.strip()}`", *(f"`{one}`" for one in others)])
        yield f"- {shown}: {words[:1].lower()}{words[1:]}"


def _row(name: str, field: FieldInfo) -> str:
    others = [one for one in get_args(field.annotation) if isinstance(one, str) and one != field.default]
    default = "" if field.default in (None, (), False) else f"`{field.default}`"
    shown = "; or ".join(filter(None, (default, ", ".join(f"`{one}`" for one in others))))
    return f"- `--{name.replace('_', '-')}`{shown and f' ({shown})'}: {field.description}"


def _commands(command: click.Command, names: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that can be run, by name, with the words that call it."""
    if isinstance(command, click.Group):
        for name, member in sorted(command.commands.items()):
            yield from _commands(member, f"{names} {name}")
    else:
        yield names, command

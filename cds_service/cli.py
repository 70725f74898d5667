"""The command line ``icans-cds``. What a command needs is imported when it runs: ``--help`` stays fast."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from cds_service import errors
from cds_service.version import VERSION

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status (see errors). No traceback reaches the user."""
    options = build_parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except errors.Refusal as refusal:
        for line in refusal.message.splitlines():
            print(f"icans-cds: {line}", file=sys.stderr)
        return refusal.status
    except BrokenPipeError:
        # The reader of our output has left (a pager, head): nothing more to say, and nothing to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return errors.DONE
    except KeyboardInterrupt:
        return errors.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever fails, the user gets a sentence and a status
        print(f"icans-cds: a fault of this program, please report it: {errors.place_of(error)}", file=sys.stderr)
        return errors.FAULT
    return status


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="icans-cds",
        description="ICANS after CAR-T: grades, course and cards from FHIR.",
        epilog="Exit status: 0 done, 2 usage, 3 input that is not FHIR, 4 nothing to evaluate, 1 a fault of ours.",
    )
    parser.add_argument("--version", action="version", version=f"icans-cds {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serve(commands)
    _add_replay(commands)
    _add_evaluate(commands)
    _add_policy(commands)
    _add_mappings(commands)
    return parser


def _add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser("serve", help="serve CDS Hooks over HTTP")
    serve.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    serve.add_argument("--port", type=_port, help="port to listen on, 0 for a free one (default 8080)")
    serve.add_argument("--config", type=Path, metavar="FILE", help="settings as TOML")
    serve.add_argument("--policy", type=Path, metavar="FILE", dest="policy_file", help="policy overrides as TOML")
    serve.add_argument(
        "--mappings", type=Path, metavar="DIR", dest="mappings_folder", help="site ConceptMaps, ValueSets"
    )
    serve.set_defaults(command=_command("serve"))


def _add_replay(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    replay = commands.add_parser("replay", help="step through a record in the order in which it became known")
    _add_data_options(replay, ("text", "json", "ndjson"))
    replay.add_argument("--output", type=Path, metavar="FILE", help="write the result here instead of standard output")
    replay.set_defaults(command=_command("replay"))


def _add_evaluate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    evaluate = commands.add_parser("evaluate", help="what holds at one time, and the assessment behind it")
    _add_data_options(evaluate, ("text", "json"))
    evaluate.add_argument(
        "--output", type=Path, metavar="FILE", help="write the result here instead of standard output"
    )
    evaluate.set_defaults(command=_command("evaluate"))


def _add_policy(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    policy = commands.add_parser("policy", help="the rules' settings in force")
    actions = policy.add_subparsers(title="actions", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="every setting and threshold with its citation")
    show.add_argument("--format", choices=("text", "json"), default="text")
    show.add_argument("--policy", type=Path, metavar="FILE", dest="policy_file", help="policy overrides as TOML")
    show.set_defaults(command=_command("policy_show"), output=None)


def _add_mappings(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    mappings = commands.add_parser("mappings", help="which codes and units of some data are understood")
    actions = mappings.add_subparsers(title="actions", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="what is understood, what looks relevant and is not, what is irrelevant")
    check.add_argument(
        "paths", nargs="+", metavar="PATH", help="FHIR Bundle, resource, NDJSON file or folder; - is standard input"
    )
    check.add_argument(
        "--mappings", type=Path, metavar="DIR", dest="mappings_folder", help="site ConceptMaps, ValueSets"
    )
    check.add_argument(
        "--write-template", type=Path, metavar="FILE", help="write a ConceptMap to fill in with what is not understood"
    )
    check.add_argument("--format", choices=("text", "json"), default="text")
    check.add_argument("--output", type=Path, metavar="FILE", help="write the result here instead of standard output")
    check.set_defaults(command=_command("mappings_check", "mapping_commands"))


def _add_data_options(parser: argparse.ArgumentParser, formats: Sequence[str]) -> None:
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="FHIR Bundle, resource, NDJSON file or folder; - is standard input"
    )
    parser.add_argument("--patient", metavar="ID", type=_name, help="the patient meant")
    parser.add_argument("--as-of", type=_instant, metavar="TIME", help="ISO 8601 with offset, 2026-03-08T14:00:00Z")
    parser.add_argument("--policy", type=Path, metavar="FILE", dest="policy_file", help="policy overrides as TOML")
    parser.add_argument(
        "--mappings", type=Path, metavar="DIR", dest="mappings_folder", help="site ConceptMaps, ValueSets"
    )
    parser.add_argument("--known", choices=("issued", "effective"), help="from when an observation counts as known")
    parser.add_argument("--zone", metavar="ZONE", help="time zone of the site, such as Europe/Berlin (default UTC)")
    parser.add_argument("--format", choices=formats, default="text")


def _command(name: str, module: str = "commands") -> Command:
    def run(options: argparse.Namespace) -> int:
        from importlib import import_module

        command: Command = getattr(import_module(f"cds_service.{module}"), name)
        return command(options)

    return run


def _instant(text: str) -> datetime:
    from cds_service.instants import instant

    try:
        return instant(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a number from 0 to 65535 is expected")
    return int(text)


def _name(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("an id is expected")
    return text.strip()


if __name__ == "__main__":
    sys.exit(main())

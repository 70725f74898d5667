"""The command line ``icans-cds``. What a command needs is imported when it runs: ``--help`` stays fast."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cds_service import errors
from cds_service.command_line.options import say
from cds_service.site.version import VERSION

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status (see errors). No traceback reaches the user."""
    options = build_parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except errors.Refusal as refusal:
        say(refusal.message)
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
        epilog="Exit status: 0 done, 2 usage, 3 input that is not FHIR or not read in full, 4 nothing to evaluate, "
        "69 a server cannot be reached or fails, 75 it asks to try later, 77 it does not accept the token, "
        "1 a fault of ours.",
    )
    parser.add_argument("--version", action="version", version=f"icans-cds {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serve(commands)
    _add_replay(commands)
    _add_evaluate(commands)
    _add_explain(commands)
    _add_policy(commands)
    _add_mappings(commands)
    _add_sandbox(commands)
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
    _add_data_options(replay, ("text", "json", "ndjson", "html"))
    replay.add_argument("--output", type=Path, metavar="FILE", help="write the result here instead of standard output")
    replay.set_defaults(command=_command("replay"))


def _add_evaluate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    evaluate = commands.add_parser("evaluate", help="what holds at one time, and the assessment behind it")
    _add_data_options(evaluate, ("text", "json"))
    evaluate.add_argument(
        "--output", type=Path, metavar="FILE", help="write the result here instead of standard output"
    )
    evaluate.set_defaults(command=_command("evaluate"))


def _add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    explain = commands.add_parser("explain", help="why is there a card, or none: every rule with what it compared")
    _add_data_options(explain, ("text", "json"))
    explain.add_argument("--rule", metavar="ID", type=_name, help="only this rule, such as refractory")
    explain.add_argument("--output", type=Path, metavar="FILE", help="write the result here instead of standard output")
    explain.set_defaults(command=_command("explain"))


def _add_policy(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    policy = commands.add_parser("policy", help="the rules' settings in force")
    actions = policy.add_subparsers(title="actions", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="every setting and threshold with its citation")
    show.add_argument("--format", choices=("text", "json"), default="text")
    show.add_argument("--policy", type=Path, metavar="FILE", dest="policy_file", help="policy overrides as TOML")
    show.add_argument("--changed", action="store_true", help="only what differs from the bundled policy")
    show.add_argument("--write-template", type=Path, metavar="FILE", help="write a file of overrides to fill in")
    show.set_defaults(command=_command("policy", "policy_show"), output=None)


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
    check.add_argument(
        "--write-csv", type=Path, metavar="FILE", help="write the same as a table with proposals and a column to tick"
    )
    check.add_argument("--format", choices=("text", "json"), default="text")
    check.add_argument("--output", type=Path, metavar="FILE", help="write the result here instead of standard output")
    check.set_defaults(command=_command("mappings", "mappings_check"))


def _add_sandbox(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    sandbox = commands.add_parser("sandbox", help="a patient on a FHIR server, fetched and evaluated")
    _add_sandbox_options(sandbox)
    sandbox.set_defaults(command=_command("sandbox"))
    actions = sandbox.add_subparsers(title="actions", metavar="ACTION")
    patients = actions.add_parser("patients", help="patients with an infusion, an ICE or a documented grade")
    patients.set_defaults(command=_command("sandbox", "sandbox_patients"))
    load = actions.add_parser("load", help="put the demonstration patients onto the server")
    load.add_argument("--shift", action="store_true", help="move each in time so that its most telling moment is now")
    load.add_argument("--yes", action="store_true", help="write to a server that is not this machine")
    load.set_defaults(command=_command("sandbox_load"))
    check = actions.add_parser("serve-check", help="a patient-view call to this service, as an EHR would make it")
    check.add_argument("--service", metavar="URL", help="a service that runs already (default: one for this call)")
    check.add_argument("--prefetch", action="store_true", help="send the data along instead of letting it fetch")
    check.set_defaults(command=_command("sandbox_serve_check"))
    for action in (patients, load, check):
        _add_sandbox_options(action, inner=True)


def _add_sandbox_options(parser: argparse.ArgumentParser, inner: bool = False) -> None:
    """inner: an action's own copy; options given before the action's name keep their values."""
    kept: dict[str, Any] = {"default": argparse.SUPPRESS} if inner else {}
    parser.add_argument("--fhir-server", metavar="URL", help="base of its FHIR API, such as http://host/fhir", **kept)
    parser.add_argument("--patient", metavar="ID", type=_name, help="the patient meant", **kept)
    parser.add_argument("--token", metavar="T", help="bearer token (or environment ICANS_CDS_FHIR_TOKEN)", **kept)
    parser.add_argument("--as-of", type=_instant, metavar="TIME", help="ISO 8601 with offset", **kept)
    patience = kept or {"default": 30.0}
    parser.add_argument("--timeout", type=_seconds, metavar="S", help="seconds to fetch (default 30)", **patience)
    parser.add_argument("--policy", type=Path, metavar="FILE", dest="policy_file", help="policy overrides", **kept)
    parser.add_argument("--mappings", type=Path, metavar="DIR", dest="mappings_folder", help="site mappings", **kept)
    parser.add_argument("--known", choices=("issued", "effective"), help="when an observation counts as known", **kept)
    parser.add_argument("--zone", metavar="ZONE", help="time zone of the site (default UTC)", **kept)
    parser.add_argument("--format", choices=("text", "json"), **(kept or {"default": "text"}))
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the result here", **kept)


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


def _command(module: str, name: str = "") -> Command:
    """The function of a command's module: ``name``, or the one called like the module."""

    def run(options: argparse.Namespace) -> int:
        from importlib import import_module

        command: Command = getattr(import_module(f"cds_service.command_line.commands.{module}"), name or module)
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


def _seconds(text: str) -> float:
    if not text.replace(".", "", 1).isdecimal() or float(text) == 0:
        raise argparse.ArgumentTypeError("a number of seconds is expected")
    return float(text)


def _name(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("an id is expected")
    return text.strip()


if __name__ == "__main__":
    sys.exit(main())

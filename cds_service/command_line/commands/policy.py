"""``icans-cds policy``: the settings and thresholds in force."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from cds_service.command_line.options import json_bytes, say, settings_of, write
from cds_service.errors import DONE, Refusal

if TYPE_CHECKING:
    from icans import PolicyEntry


def policy_show(options: Namespace) -> int:
    """``icans-cds policy show``: settings in force with their citations; a file of overrides to fill in."""
    from cds_service.output.policy import policy_template, policy_text
    from cds_service.site.policy import current_policy, current_policy_entries
    from icans import PolicyError

    file = settings_of(options).policy_file
    try:
        policy, entries = current_policy(file), current_policy_entries(file)
    except PolicyError as error:
        raise Refusal(f"policy: {error}") from error
    if options.write_template is not None:
        write(policy_template(entries).encode(), options.write_template)
        say(f"{options.write_template} holds every setting that may be overridden; use it with --policy")
        return DONE
    if options.changed:
        entries = tuple(entry for entry in entries if entry.overridden)
    if options.format == "json":
        shown = {"policy": policy.label, "settings": [_entry_json(entry) for entry in entries]}
        write(json_bytes(shown), options.output)
    else:
        text = policy_text(entries) if entries else "No setting differs from the bundled policy.\n"
        write(f"Policy {policy.label}\n\n{text}".encode(), options.output)
    return DONE


def _entry_json(entry: PolicyEntry) -> dict[str, Any]:
    from cards import to_json

    return {
        "key": entry.key,
        "section": entry.section,
        "meaning": entry.meaning,
        "value": to_json(entry.value),
        "unit": entry.unit,
        "citation": entry.citation,
        "reason": entry.reason or None,
        "overridable": entry.overridable,
        "overridden": entry.overridden,
        "minimum": to_json(entry.minimum),
        "maximum": to_json(entry.maximum),
        "choices": list(entry.choices),
        "notes": list(entry.notes),
    }

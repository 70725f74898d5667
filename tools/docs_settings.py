"""docs/settings.md: every setting of a site and of the policy, from the code and the policy file."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

from cds_service.output.policy import range_text, value_text
from cds_service.site.policy import current_policy, current_policy_entries
from cds_service.site.settings import Settings, accepts

PREFACE = """# Settings and policy

Every setting with its default (written by `make docs`). A value that is not understood or lies outside its range stops
the start with a message that names it; nothing is ignored.

## Settings of a site

Each may be set in a TOML file (`icans-cds serve --config FILE`), as an environment variable (`ICANS_CDS_` and the name
in capitals; lists separated by blanks) or, where a command offers it, as an option. The later of these wins.

```toml
zone = "Europe/Amsterdam"
mappings_folder = "mappings"
policy_file = "policy.toml"
fhir_servers = ["https://fhir.hospital.internal/r4"]
```

"""
POLICY = """
## Policy

The numbers by which the rules decide. A site overrides what may be changed in a TOML file of its own, named by
`policy_file` or `--policy FILE`; `icans-cds policy show --write-template FILE` writes one to fill in,
`icans-cds policy show --changed --policy FILE` shows what it changes. Cards then name the policy with a fingerprint
(`{label}+1a2b3c4d`). Units are UCUM (`a` is years of age).

```toml
[refractoriness]
treatment_gap = 36
```

"""
COLUMNS = "| setting | default | may be | meaning | source |\n|---|---|---|---|---|\n"


def settings_page() -> str:
    """The whole page."""
    rows = [
        f"| `{field.name}` | {_default(field.default)} | {accepts(field.name)} | {meanings()[field.name]} |"
        for field in fields(Settings)
    ]
    head = "| setting | default | accepts | meaning |\n|---|---|---|---|\n"
    return PREFACE + head + "\n".join(rows) + "\n" + _policy()


def meanings() -> dict[str, str]:
    """What each setting means, as the docstring of Settings has it (``name, name: meaning``)."""
    names = "|".join(field.name for field in fields(Settings))
    text = " ".join((Settings.__doc__ or "").split())
    parts = re.split(rf"\b((?:{names})(?:, (?:{names}))*): ", text)[1:]
    found = {}
    for together, meaning in zip(parts[::2], parts[1::2], strict=True):
        for name in together.split(", "):
            found[name] = meaning.strip().replace("|", "\\|")
    return found


def _default(value: Any) -> str:
    if value in ("", None, ()):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _policy() -> str:
    parts = [POLICY.format(label=current_policy().label)]
    section = ""
    for entry in current_policy_entries():
        if entry.section != section:
            section = entry.section
            parts.append(
                f"\n### {section}\n\n| setting | default | may be | meaning | source |\n|---|---|---|---|---|\n"
            )
        value = f"{value_text(entry.value)} {entry.unit}".strip()
        allowed = range_text(entry).removeprefix("may be ")
        parts.append(f"| `{entry.key}` | {value} | {allowed} | {entry.meaning} | {_short(entry)} |\n")
    return "".join(parts)


def _short(entry: Any) -> str:
    return f"{entry.citation_short}: {entry.reason}" if entry.reason else str(entry.citation_short)

"""reference, schema: what an input may hold, for a person and for an editor."""

from __future__ import annotations

import json
import sys


def reference() -> None:
    """Print every table and key of an input, with type and default, as Markdown."""
    from qcdriver.report.reference import reference as made

    sys.stdout.write(made())


def schema() -> None:
    """Print the JSON Schema of an input, by which an editor completes and checks TOML."""
    from qcdriver.workflow.input import input_type

    sys.stdout.write(json.dumps(input_type().model_json_schema(), indent=1) + "\n")

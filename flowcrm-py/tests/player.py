"""Plays a story through the package: reads it from standard input, and writes what came of each step.

The story is in the names of the core; what is done is in the names of Python, and what came of it is told back.
"""

from __future__ import annotations

import io
import json
import keyword
import re
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import flowcrm


def snake(name: str) -> str:
    if not re.fullmatch(r"[a-z]+[A-Za-z]*", name):
        return name
    written = re.sub(r"(?=[A-Z])", "_", name).lower()
    return written + "_" if keyword.iskeyword(written) else written


def camel(name: str) -> str:
    if name == "idempotency_key":
        return "Idempotency-Key"
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def told(value: Any) -> Any:
    """An answer in the names of the core."""
    if isinstance(value, dict):
        return {camel(name): told(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [told(inner) for inner in value]
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


def asked(value: Any) -> Any:
    """What is inside of a field, in the names of Python."""
    return {snake(name): inner for name, inner in value.items()} if isinstance(value, dict) else value


class Player:
    def __init__(self, crm: flowcrm.Crm) -> None:
        self.crm = crm
        self.people: dict[str, flowcrm.Caller] = {}
        self.saved: dict[str, Any] = {}

    def resolve(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("$"):
            name, *path = value[1:].split(".")
            found: Any = self.saved.get(name)
            for part in path:
                found = found[int(part)] if part.isdigit() else found[part]
            return found
        if isinstance(value, list):
            return [self.resolve(inner) for inner in value]
        if isinstance(value, dict):
            return {name: self.resolve(inner) for name, inner in value.items()}
        return value

    def play(self, step: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = told(self.take(step))
        except flowcrm.FlowCrmError as error:
            fields = [".".join(camel(part) for part in bad["field"].split(".")) for bad in error.errors]
            return {"code": error.code, "fields": fields}
        if step.get("save"):
            self.saved[step["save"]] = answer
        return {"answer": answer}

    def take(self, step: dict[str, Any]) -> Any:
        fields = {snake(name): asked(value) for name, value in self.resolve(step["fields"]).items()}
        if step["do"] == "register":
            self.people[step["save"]] = self.crm.register(**fields)
            return None
        if step["do"] == "signIn":
            self.people[step["save"]] = self.crm.sign_in(**fields)
            return None
        group_name, name = step["do"].split(".")
        group = getattr(self.people[step["as"]], group_name)
        if name == "import":
            file = io.BytesIO(step["file"].encode())
            file.name = "file.csv"
            return group.import_csv(file, **fields)
        if name == "export":
            out = io.BytesIO()
            group.export(out, **fields)
            return out.getvalue().decode()
        more: dict[str, Any] = {}
        if step.get("version") is not None:
            more["version"] = self.resolve(step["version"])
        if step.get("key") is not None:
            more["idempotency_key"] = step["key"]
        ids = [] if step.get("id") is None else [self.resolve(step["id"])]
        answer = getattr(group, name)(*ids, **fields, **more)
        return list(answer) if isinstance(answer, flowcrm.Listing) else answer


def main() -> None:
    story = json.load(sys.stdin, parse_float=Decimal)
    with flowcrm.open(story["url"], secret=story["secret"], migrate=True) as crm:
        player = Player(crm)
        outcomes = [player.play(step) for step in story["steps"]]
    json.dump(outcomes, sys.stdout)


if __name__ == "__main__":
    main()

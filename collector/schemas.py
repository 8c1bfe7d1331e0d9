"""JSON Schemas (2020-12) of the kind spec, the configuration and the run record, made from the types that enforce them.

``python -m collector.schemas`` writes them to ``schemas/``; a test sees that the files there are what this makes.
"""

from __future__ import annotations

import json
from typing import get_type_hints

from pydantic import TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from collector.config import Config
from collector.data import data_path
from collector.http.declaration import TABLE, Declaration
from collector.model import Json, Run, Subject
from collector.procedure import Kind

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, Json]:
    """Return every schema by the name of its file."""
    return {
        "kinds.schema.json": kinds_schema(),
        "config.schema.json": config_schema(),
        "run.schema.json": run_schema(),
    }


def kinds_schema() -> Json:
    """Return the schema of a file of kinds: tables by the kind's name, calls in their short forms too.

    The table of a connector that is one TOML file may stand beside them.
    """
    kind = Kind.model_json_schema(by_alias=True)
    definitions = kind.pop("$defs")
    name = kind["properties"].pop("name")
    kind["required"].remove("name")
    call = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Call"}]}
    for key in ("list", "each"):
        described = {word: kind["properties"][key][word] for word in ("description", "default")}
        kind["properties"][key] = {"anyOf": [*call["anyOf"], {"type": "array", "items": call}], **described}
    for name_of_call in ("Call", "Batch"):
        paging = definitions[name_of_call]["properties"]["paging"]
        paging["anyOf"] = [{"$ref": "#/$defs/Style"}, *paging["anyOf"]]
    definitions["Style"] = definitions["Paging"]["properties"]["style"]
    connector = Declaration.model_json_schema(by_alias=True)
    definitions |= connector.pop("$defs")
    return _headed(
        "Kinds of evidence, by name",
        {
            "type": "object",
            "propertyNames": {"anyOf": [{"const": TABLE}, {"pattern": name["pattern"]}]},
            "properties": {TABLE: {"$ref": "#/$defs/Declaration"}},
            "additionalProperties": {"$ref": "#/$defs/Kind"},
            "$defs": {**definitions, "Kind": kind, "Declaration": connector},
        },
    )


def config_schema() -> Json:
    """Return the schema of the configuration file. A source may hold more keys: its connector's own settings."""
    schema = Config.model_json_schema()
    del schema["properties"]["path"]
    # A connector's and an anchor type's own keys are its own.
    for open_ended in ("Settings", "AnchorSettings"):
        schema["$defs"][open_ended]["additionalProperties"] = True
    return _headed("Configuration of evidenced", schema)


def run_schema() -> Json:
    """Return the schema of a run as JSON: the IPE sheet. Times are RFC 3339 in UTC, digests ``sha256:<hex>``."""
    schema = TypeAdapter(Run).json_schema(mode="serialization", schema_generator=_WithDigests)
    # A subject is a tuple whose fields have names, and shown as a record like any other.
    fields = {name: (kind, ...) for name, kind in get_type_hints(Subject).items()}
    subject = create_model(Subject.__name__, __doc__=Subject.__doc__, **fields)  # type: ignore[call-overload]
    schema["$defs"][Subject.__name__] = subject.model_json_schema()
    for record in (schema, *schema["$defs"].values()):
        if "properties" in record:
            # A record is shown whole: nothing left out, nothing added.
            record |= {"required": list(record["properties"]), "additionalProperties": False}
    return _headed("Run record: one attempt to read one kind in one scope", schema)


class _WithDigests(GenerateJsonSchema):
    """Bytes of a record are digests."""

    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:  # noqa: ARG002
        return {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}


def _headed(title: str, schema: Json) -> Json:
    return {"$schema": _DIALECT, **schema, "title": title}


def written(schema: Json) -> str:
    """Return *schema* as the text of its file."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for file, document in schemas().items():
        (data_path("schemas") / file).write_text(written(document), encoding="utf-8")

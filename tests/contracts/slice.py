"""Make the slices of the providers' official contracts that lie in this folder: python tests/contracts/slice.py

A slice has the operations that Stayput and its stand-ins use, with what these refer to: names, types, required fields
and enums, no text. The official files are looked for in ../shared/schemas beside the checkout, or where
STAYPUT_SCHEMAS says.
"""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from graphql import (
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    parse,
    print_schema,
    visit,
)

HERE = Path(__file__).parent
OFFICIAL = Path(os.environ.get("STAYPUT_SCHEMAS") or HERE.parents[2] / "shared" / "schemas")
OPERATIONS = {
    "koyeb.swagger.json": (
        "GET /v1/apps",
        "GET /v1/apps/{id}",
        "GET /v1/services",
        "GET /v1/services/{id}",
        "PUT /v1/services/{id}",
        "GET /v1/secrets",
        "POST /v1/secrets",
        "DELETE /v1/secrets/{id}",
        "GET /v1/deployments",
        "GET /v1/deployments/{id}",
        "POST /v1/deployments/{id}/cancel",
        "GET /v1/streams/logs/query",
    ),
    "render.openapi.json": (
        "GET /services",
        "GET /services/{serviceId}",
        "PATCH /services/{serviceId}",
        "GET /services/{serviceId}/custom-domains",
        "GET /services/{serviceId}/env-vars",
        "PUT /services/{serviceId}/env-vars/{envVarKey}",
        "DELETE /services/{serviceId}/env-vars/{envVarKey}",
        "GET /services/{serviceId}/deploys",
        "POST /services/{serviceId}/deploys",
        "GET /services/{serviceId}/deploys/{deployId}",
        "POST /services/{serviceId}/deploys/{deployId}/cancel",
        "POST /services/{serviceId}/rollback",
        "GET /logs",
    ),
}
RAILWAY, RAILWAY_OFFICIAL = "railway.graphql", "railway.graphql-introspection.json"
# What says nothing about names and types.
TEXT = ("description", "summary", "example", "examples", "title", "operationId", "tags", "externalDocs", "security")


def rest_slice(document: dict[str, Any], operations: tuple[str, ...]) -> dict[str, Any]:
    """Those operations of an OpenAPI 3 or Swagger 2 document, and what they refer to."""
    made: dict[str, Any] = {name: document[name] for name in ("swagger", "openapi") if name in document}
    made["paths"] = defaultdict(dict)
    for operation in operations:
        method, path = operation.split()
        item = document["paths"][path]
        if "parameters" in item:
            made["paths"][path]["parameters"] = _bare(_inlined(document, item["parameters"]))
        made["paths"][path][method.lower()] = _bare(_inlined(document, item[method.lower()]))
    waiting = list(_references(made["paths"]))
    while waiting:
        pointer = waiting.pop()
        target = made
        *folders, name = pointer.removeprefix("#/").split("/")
        for folder in folders:
            target = target.setdefault(folder, {})
        if name not in target:
            target[name] = _bare(_inlined(document, _lookup(document, pointer)))
            waiting += _references(target[name])
    return made


def graphql_slice(introspection: dict[str, Any], documents: list[str]) -> str:
    """The types of a GraphQL schema with the fields that these documents ask for, as SDL."""
    whole = build_client_schema(introspection, assume_valid=True)
    asked = _asked(whole, documents)
    types = {one["name"]: one for one in introspection["__schema"]["types"]}
    kept: dict[str, Any] = {}
    waiting = ["Query", "Mutation"]
    while waiting:
        name = waiting.pop()
        if name in kept or name.startswith("__"):
            continue
        kept[name] = one = _without_text(types[name])
        if one["kind"] in ("OBJECT", "INTERFACE"):
            one["fields"] = [field for field in one["fields"] if field["name"] in asked[name]]
            one["interfaces"], one["possibleTypes"] = [], None
        members = [*(one["fields"] or ()), *(one["inputFields"] or ())]
        members += [argument for field in one["fields"] or () for argument in field["args"]]
        waiting += [_named(member["type"]) for member in members]
    schema = introspection["__schema"] | {"types": list(kept.values()), "directives": [], "subscriptionType": None}
    return print_schema(build_client_schema({"__schema": schema}, assume_valid=True)) + "\n"


def slices() -> Iterator[tuple[str, str]]:
    """(file of this folder, what it holds) for each provider, from the official files."""
    for name, operations in OPERATIONS.items():
        document = json.loads((OFFICIAL / name).read_bytes())
        yield name, json.dumps(rest_slice(document, operations), indent=1, sort_keys=True) + "\n"
    introspection = json.loads((OFFICIAL / RAILWAY_OFFICIAL).read_bytes())
    yield RAILWAY, graphql_slice(introspection.get("data", introspection), railway_documents())


def railway_documents() -> list[str]:
    from stayput.targets import railway_documents as module

    constants = [value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)]
    return [text for text in constants if text.startswith(("query", "mutation"))]


def _asked(schema: GraphQLSchema, documents: list[str]) -> dict[str, set[str]]:
    """type → its fields in these documents."""
    asked: dict[str, set[str]] = defaultdict(set)
    info = TypeInfo(schema)

    class Fields(Visitor):
        def enter_field(self, node: Any, *_: Any) -> None:
            if (parent := info.get_parent_type()) is None or info.get_field_def() is None:
                raise SystemExit(f"slice: the official schema has no field {node.name.value}")
            asked[parent.name].add(node.name.value)

    for document in documents:
        visit(parse(document), TypeInfoVisitor(info, Fields()))
    return asked


def _bare(node: Any, names: bool = False) -> Any:
    """Without texts. names: the keys of this object are names that the contract gives, not its own words."""
    if isinstance(node, list):
        return [_bare(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if names or not (key in TEXT or key.startswith("x-"))}
    return {key: _bare(value, key in ("properties", "responses") and not names) for key, value in kept.items()}


def _inlined(document: dict[str, Any], node: Any) -> Any:
    """With what it refers to inside of another operation put in place of the reference."""
    if isinstance(node, list):
        return [_inlined(document, one) for one in node]
    if not isinstance(node, dict):
        return node
    pointer = node.get("$ref")
    if isinstance(pointer, str) and pointer.startswith("#/paths/"):
        return _inlined(document, _lookup(document, pointer))
    return {key: _inlined(document, value) for key, value in node.items()}


def _lookup(document: dict[str, Any], pointer: str) -> Any:
    node: Any = document
    for part in pointer.removeprefix("#/").split("/"):
        part = unquote(part).replace("~1", "/").replace("~0", "~")
        node = node[int(part)] if isinstance(node, list) else node[part]
    return node


def _without_text(type_: dict[str, Any]) -> dict[str, Any]:
    def bare(node: Any) -> Any:
        if isinstance(node, list):
            return [bare(one) for one in node]
        if not isinstance(node, dict):
            return node
        return {
            key: None if key in ("description", "deprecationReason") else bare(value) for key, value in node.items()
        }

    return bare(type_)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _references(one)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)


def _named(type_: dict[str, Any]) -> str:
    while type_.get("ofType"):
        type_ = type_["ofType"]
    return type_["name"]


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[1]))
    for file, content in slices():
        (HERE / file).write_text(content, encoding="utf-8")
        print(f"{file}: {len(content):,} bytes")  # noqa: T201

"""The providers' official contracts as judges: of every request a client makes, and of every answer a stand-in gives.

They are slices of the official files, in tests/contracts; slice.py there makes them anew.
"""

import functools
import json
import re
from pathlib import Path

from jsonschema import Draft4Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

FOLDER = Path(__file__).parents[1] / "contracts"
METHODS = ("get", "put", "post", "patch", "delete")


def is_there(name):
    return (FOLDER / name).is_file()


def load(name):
    return (FOLDER / name).read_text(encoding="utf-8")


class RestContract:
    """An OpenAPI 3 or Swagger 2 document. Names that it does not know are faults too."""

    def __init__(self, name):
        self._document = _strict(json.loads(load(name)))
        self._registry = Registry().with_resource("contract:", DRAFT4.create_resource(self._document))
        self._validators, self._judged = {}, {}  # by the schema's identity, and by what was said: all is judged once
        self._paths = {
            template: re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)) + "$")
            for template in self._document["paths"]
        }

    def template(self, method, path):
        """The path as the contract writes it, or None."""
        fitting = [t for t, p in self._paths.items() if p.match(path) and method.lower() in self._document["paths"][t]]
        return min(fitting, key=lambda template: template.count("{"), default=None)

    def faults_of_request(self, method, path, query, body):
        template = self.template(method, path)
        if template is None:
            return [f"{method} {path} is not in the contract"]
        item = self._document["paths"][template]
        operation = item[method.lower()]
        parameters = [self._resolve(one) for one in [*item.get("parameters", []), *operation.get("parameters", [])]]
        known = {one["name"]: one for one in parameters if one["in"] == "query"}
        faults = [f"{method} {template}: unknown parameter {name}" for name in query if name not in known]
        faults += [
            f"{method} {template}: {name} is missing"
            for name, one in known.items()
            if one.get("required") and name not in query
        ]
        schema, required = self._body(operation, parameters)
        if body is None:
            return [*faults, f"{method} {template}: a body is required"] if required else faults
        if schema is None:
            return [*faults, f"{method} {template}: takes no body"]
        return faults + self._faults(schema, body, f"{method} {template}")

    def faults_of_answer(self, method, path, status, body):
        template = self.template(method, path)
        declared = self._document["paths"][template][method.lower()]["responses"]
        if str(status) not in declared and status >= 300:
            return []  # 429 and faults of gateways are not declared everywhere
        # Render declares 200 with the body of what its server answers with 201.
        answer = self._resolve(declared.get(str(status), declared.get("200")))
        schema = answer.get("schema") or answer.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return [] if body is None else [f"{method} {template}: {status} has no body"]
        return self._faults(schema, body, f"{method} {template} -> {status}")

    def _body(self, operation, parameters):
        if "requestBody" in operation:
            declared = self._resolve(operation["requestBody"])
            return declared["content"]["application/json"]["schema"], declared.get("required", False)
        inside = next((one for one in parameters if one["in"] == "body"), None)
        return (inside["schema"], inside.get("required", False)) if inside else (None, False)

    def _resolve(self, node):
        while "$ref" in node:
            node = self._registry.resolver("contract:").lookup(node["$ref"]).contents
        return node

    def _faults(self, schema, body, where):
        said = (id(schema), json.dumps(body))
        if said not in self._judged:
            if id(schema) not in self._validators:
                self._validators[id(schema)] = Draft4Validator(_absolute(schema), registry=self._registry)
            found = self._validators[id(schema)].iter_errors(body)
            self._judged[said] = [f"{'.'.join(map(str, one.absolute_path))}: {one.message[:300]}" for one in found]
        return [f"{where}: {fault}" for fault in self._judged[said]]


@functools.cache
def rest_contract(name):
    """Made once: it keeps nothing of what it judges."""
    return RestContract(name)


def _absolute(node):
    """References that work outside of the document too."""
    if isinstance(node, dict):
        return {
            key: f"contract:{value}" if key == "$ref" and value.startswith("#") else _absolute(value)
            for key, value in node.items()
        }
    return [_absolute(one) for one in node] if isinstance(node, list) else node


def _strict(node, inside_all_of=False):
    """A name that an object does not declare is a fault.

    oneOf becomes anyOf: Render's alternatives have no required fields, so that a true body fits several.
    """
    if isinstance(node, list):
        return [_strict(one, inside_all_of) for one in node]
    if not isinstance(node, dict):
        return node
    made = {}
    for key, value in node.items():
        made["anyOf" if key == "oneOf" and isinstance(value, list) else key] = _strict(value, key == "allOf")
    is_object = made.get("type") == "object" and isinstance(made.get("properties"), dict)
    if is_object and not inside_all_of and not {"additionalProperties", "allOf", "anyOf"} & made.keys():
        made["additionalProperties"] = False
    return made

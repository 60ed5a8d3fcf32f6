"""What AWS refuses in a policy document and the process that plays it would take. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast


def bucket_policy_faults(bucket: str, text: str) -> Iterator[str]:
    """Why S3 would not take this text as the policy of that bucket."""
    statements = _statements(text)
    if statements is None:
        yield "is no policy document"
        return
    for statement in statements:
        for action in _many(statement.get("Action")):
            if not action.startswith("s3:"):
                yield f"names the action {action}, which is not S3's"
        for resource in _many(statement.get("Resource")):
            if resource.partition(":::")[2].partition("/")[0] != bucket:
                yield f"names the resource {resource}, which is not in the bucket {bucket}"


def identity_policy_faults(text: str) -> Iterator[str]:
    """Why IAM would not take this text as the policy of a user or group."""
    statements = _statements(text)
    if statements is None:
        yield "is no policy document"
        return
    for statement in statements:
        if "Principal" in statement:
            yield "names a principal, which an identity's own policy cannot"
        for action in _many(statement.get("Action")):
            if action != "*" and ":" not in action:
                yield f"names the action {action}, which has no service"


def is_public(text: str) -> bool:
    """Whether the policy lets anyone in without a condition."""
    return any(
        statement.get("Effect") == "Allow"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and not statement.get("Condition")
        for statement in _statements(text) or ()
    )


def _statements(text: str) -> list[Mapping[str, Any]] | None:
    try:
        document: object = json.loads(text)
    except json.JSONDecodeError:
        return None
    if not isinstance(document, dict):
        return None
    found = cast(dict[str, object], document).get("Statement")
    statements = cast(list[object], found) if isinstance(found, list) else [found]
    if not statements or not all(isinstance(one, dict) for one in statements):
        return None
    return cast(list[Mapping[str, Any]], statements)


def _many(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())

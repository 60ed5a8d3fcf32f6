"""What AWS refuses in a policy document and the process that plays it would take. Pure."""

import fnmatch
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, cast

from botocore.session import get_session

# Rights of S3 that are not called as the operations they are for.
S3_RIGHTS = (
    *("ListBucket", "ListBucketVersions", "ListAllMyBuckets", "ListBucketMultipartUploads", "ListMultipartUploadParts"),
    *(f"{verb}ObjectVersion{part}" for verb in ("Get", "Put", "Delete") for part in ("", "Acl", "Tagging")),
    *(f"{verb}{part}Configuration" for verb in ("Get", "Put") for part in ("Lifecycle", "Encryption", "Replication")),
    *(f"{verb}{part}Configuration" for verb in ("Get", "Put") for part in ("Inventory", "Metrics", "Analytics")),
    *(f"{verb}{scope}PublicAccessBlock" for verb in ("Get", "Put") for scope in ("Bucket", "Account")),
    *(f"{verb}Bucket{part}" for verb in ("Get", "Put") for part in ("Notification", "ObjectLockConfiguration")),
    *("GetAccelerateConfiguration", "PutAccelerateConfiguration", "BypassGovernanceRetention"),
    *("ReplicateObject", "ReplicateDelete", "ReplicateTags", "GetObjectVersionForReplication"),
)


# A condition on a fixed value of one of these closes a statement to the public; any other leaves it open.
# Source: Amazon S3 User Guide, "The meaning of public".
CLOSING = {
    *("aws:sourceip", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount"),
    *("aws:userid", "aws:principalorgid", "s3:x-amz-server-side-encryption-aws-kms-key-id"),
    *("s3:dataaccesspointarn", "s3:dataaccesspointaccount"),
}


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
            elif not is_action(action):
                yield f"names the action {action}, which S3 does not know"
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
            elif not is_action(action):
                yield f"names the action {action}, which AWS does not know"


def is_action(action: str) -> bool:
    """Whether AWS knows an action of that name, or that its wildcards fit; of other services than S3 and IAM: yes."""
    service, _, name = action.lower().partition(":")
    return service not in ("s3", "iam") or bool(fnmatch.filter(_actions(service), name))


@cache
def _actions(service: str) -> frozenset[str]:
    """The actions of a service in small letters: its operations, and where S3 names the right to one otherwise."""
    operations = get_session().get_service_model(service).operation_names
    return frozenset(name.lower() for name in (*operations, *(S3_RIGHTS if service == "s3" else ())))


def is_public(text: str) -> bool:
    """Whether S3 calls the policy public: it lets anyone in, and no condition names who."""
    return any(
        statement.get("Effect") == "Allow"
        and _is_anyone(statement.get("Principal"))
        and not _names_who(statement.get("Condition") or {})
        for statement in _statements(text) or ()
    )


def _is_anyone(principal: Any) -> bool:
    named = cast(dict[str, Any], principal).get("AWS") if isinstance(principal, dict) else principal
    return "*" in _many(named)


def _names_who(condition: Mapping[str, Mapping[str, Any]]) -> bool:
    return any(
        key.lower() in CLOSING and not any("*" in value or value.endswith("/0") for value in _many(values))
        for operator, keys in condition.items()
        if not operator.startswith(("Not", "StringNot", "ArnNot"))
        for key, values in keys.items()
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

"""What a bucket that is taken over loses: what is said about it now, and the program says otherwise. Reads only."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from botocore.exceptions import ClientError

from stayput.engine import Change, program, stackfile
from stayput.engine.account import MAY, explaining
from stayput.engine.words import kind, name
from stayput.errors import WrongUse
from stayput.localcloud import s3
from stayput.localcloud.resource import Aws, unless_gone
from stayput.localcloud.table import table
from stayput.stack import Stack

Structure = dict[str, Any]  # as the AWS API has it
Lost = Callable[[Aws, str, Structure], Iterator[str]]  # client, bucket, what the program wants → one line each


def losses(stack: Stack, config: Mapping[str, str], aws: Aws, url: str) -> tuple[Change, ...]:
    """A line for each statement and setting of the bucket `stayput:import` that `up` takes away or overwrites.

    url: of this machine's cloud; empty for AWS. Raises WrongUse for a bucket that is not there, StayputError.
    """
    bucket = config["stayput:import"]
    where = f"the bucket {bucket}"
    with explaining(where, MAY):
        if unless_gone(lambda: aws.s3.head_bucket(Bucket=bucket)) is None:
            what = f"there is no bucket {bucket}"
            raise WrongUse(f"{stack.settings.name}, stayput:import", what, "correct the name, or remove the line")
        return tuple(_losses(aws, bucket, _wanted(stack, config, aws, url)))


def _losses(aws: Aws, bucket: str, wanted: Mapping[str, Structure]) -> Iterator[Change]:
    for urn, structure in wanted.items():
        type_ = urn.split("::")[2].rsplit("$", 1)[-1]
        for lost in LOST.get(kind(urn), ()):
            try:
                lines = list(lost(aws, bucket, structure))
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") not in ("AccessDenied", "403"):
                    raise
                lines = ["your key may not read what is there, which is overwritten"]
            yield from (Change(action="update", type=type_, name=name(urn), why=line) for line in lines)


def _wanted(stack: Stack, config: Mapping[str, str], aws: Aws, url: str) -> dict[str, Structure]:
    """By URN, what the program says about its bucket. It is run, and nothing is made."""
    from stayput.engine.inprocess import run_program

    types, wanted = table(aws), dict[str, Structure]()

    def register(urn: str, type_: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        resource = types.get(type_)
        if isinstance(resource, s3.BucketSetting):
            wanted[urn] = resource.structure(inputs)
        if isinstance(resource, s3.Bucket):
            wanted[urn] = {}
            return inputs["bucket"], resource.outputs(inputs["bucket"], inputs)
        return name(urn), {**inputs, **dict.fromkeys(("arn", "name", "secret"), name(urn))}

    with program.modules(stack.root), program.environment(STAYPUT_CLOUD_URL=url):
        try:
            run_program(stack.root, stackfile.project_name(stack.root), stack.name, config, register)
        except Exception as error:
            raise program.explained(stack, error) from None
    return wanted


def _policy(aws: Aws, bucket: str, wanted: Structure) -> Iterator[str]:
    found = unless_gone(lambda: aws.s3.get_bucket_policy(Bucket=bucket))
    kept = _statements(wanted["Policy"])
    for statement in _statements(found["Policy"]) if found else ():
        if statement not in kept:
            yield f"takes away the statement {statement.get('Sid') or _short(statement)}"


def _statements(policy: str) -> list[Structure]:
    found: Any = json.loads(policy).get("Statement", [])
    return cast(list[Structure], found if isinstance(found, list) else [found])


def _lifecycle(aws: Aws, bucket: str, wanted: Structure) -> Iterator[str]:
    found: Any = unless_gone(lambda: aws.s3.get_bucket_lifecycle_configuration(Bucket=bucket))
    yield from _rules(found and found["Rules"], wanted["Rules"])


def _cors(aws: Aws, bucket: str, wanted: Structure) -> Iterator[str]:
    found: Any = unless_gone(lambda: aws.s3.get_bucket_cors(Bucket=bucket))
    yield from _rules(found and found["CORSRules"], wanted["CORSRules"])


def _rules(there: list[Structure] | None, wanted: list[Structure]) -> Iterator[str]:
    for rule in there or ():
        if rule not in wanted:
            yield f"takes away the rule {rule.get('ID') or _short(rule)}"


def _access_block(aws: Aws, bucket: str, wanted: Structure) -> Iterator[str]:
    found: Any = unless_gone(lambda: aws.s3.get_public_access_block(Bucket=bucket))
    block: dict[str, bool] = found["PublicAccessBlockConfiguration"] if found else {}
    for setting, is_on in block.items():
        if bool(wanted.get(setting)) != is_on:
            yield f"turns {setting} {'off' if is_on else 'on'}"


def _ownership(aws: Aws, bucket: str, wanted: Structure) -> Iterator[str]:
    found: Any = unless_gone(lambda: aws.s3.get_bucket_ownership_controls(Bucket=bucket))
    now = found["OwnershipControls"]["Rules"][0]["ObjectOwnership"] if found else "ObjectWriter"
    if now != (then := wanted["Rules"]["ObjectOwnership"]):
        yield f"makes it {then}, was {now}: ACLs count no more"


def _acl(aws: Aws, bucket: str, wanted: Structure) -> Iterator[str]:
    found: Any = aws.s3.get_bucket_acl(Bucket=bucket)
    for grant in found["Grants"]:
        grantee = grant["Grantee"]
        if grantee.get("ID") != found["Owner"].get("ID"):
            who = grantee.get("URI", "").rpartition("/")[2] or grantee.get("DisplayName") or grantee.get("ID")
            yield f"takes {grant['Permission']} from {who}, who has it by an ACL"


def _encryption(aws: Aws, bucket: str, wanted: Structure) -> Iterator[str]:
    found: Any = unless_gone(lambda: aws.s3.get_bucket_encryption(Bucket=bucket))
    rules: list[Structure] = found["ServerSideEncryptionConfiguration"]["Rules"] if found else []
    then = wanted["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    for rule in rules:
        if (now := rule["ApplyServerSideEncryptionByDefault"]) != then:
            key = f" with the key {now['KMSMasterKeyID']}" if "KMSMasterKeyID" in now else ""
            yield f"encrypts new objects by {then['SSEAlgorithm']}, was {now['SSEAlgorithm']}{key}"


def _versioning(aws: Aws, bucket: str, wanted: Structure) -> Iterator[str]:
    now: Any = aws.s3.get_bucket_versioning(Bucket=bucket).get("Status", "off")
    if now != (then := wanted["VersioningConfiguration"]["Status"]):
        yield f"makes versioning {then}, was {now}"


def _tags(aws: Aws, bucket: str, wanted: Structure) -> Iterator[str]:
    try:
        tags = aws.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "NoSuchTagSet":
            raise
        return
    for tag in tags:
        yield f"takes away the tag {tag['Key']}={tag['Value']}"


def _short(value: Structure) -> str:
    return json.dumps(value, sort_keys=True, default=str)


LOST: Mapping[str, tuple[Lost, ...]] = {
    "Bucket": (_tags,),
    "BucketPolicy": (_policy,),
    "BucketLifecycleConfiguration": (_lifecycle,),
    "BucketCorsConfiguration": (_cors,),
    "BucketPublicAccessBlock": (_access_block,),
    "BucketOwnershipControls": (_ownership, _acl),
    "BucketServerSideEncryptionConfiguration": (_encryption,),
    "BucketVersioning": (_versioning,),
}

"""What a failure of a storage says: refused for good, with what to do about it, or an outage that may pass.

Knows the errors of boto3 and of ImageKit by their names and what they carry: a project may have neither.
"""

import errno
import socket
import traceback
from collections.abc import Iterator
from typing import Any

ACL = (
    "remove default_acl (AWS_DEFAULT_ACL = None): the bucket's owner enforces ownership, and it takes no ACL; "
    "a bucket policy lets anyone read"
)
RIGHTS = "let the key's user put, get and delete objects in the bucket"
REGION = "set AWS_S3_REGION_NAME to the bucket's region"
KEY = "AWS_ACCESS_KEY_ID is of no key: make a new one and set it"
LASTING = "use the key of an IAM user, which does not expire, and unset AWS_SESSION_TOKEN"
CHECKSUM = (
    "this S3 does not take the checksums of boto3: set AWS_REQUEST_CHECKSUM_CALCULATION=when_required "
    "and AWS_RESPONSE_CHECKSUM_VALIDATION=when_required"
)
ENDPOINT = "correct AWS_S3_ENDPOINT_URL: the address of the service, without the bucket and without a page's path"
KMS = "let the key's user kms:GenerateDataKey and kms:Decrypt with the bucket's KMS key, which has to be enabled"
BUCKET = "create the bucket, or correct AWS_STORAGE_BUCKET_NAME"
NAME = "AWS_STORAGE_BUCKET_NAME is not the name of a bucket: write the name alone, in lower case"
CLOCK = "set the clock of this machine: S3 takes no request that is 15 minutes off"
# What S3 answers when the release itself is at fault, and what to do. A HEAD has no code but its status.
REMEDIES = {
    "NoSuchBucket": BUCKET,
    "404": BUCKET,
    "AccessDenied": RIGHTS,
    "AccountProblem": "look into the account's billing: it may use no storage",
    "403": RIGHTS,
    "InvalidAccessKeyId": KEY,
    "InvalidAccessKey": KEY,
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY does not belong to the key: set both anew",
    "InvalidClientTokenId": KEY,
    "UnrecognizedClientException": KEY,
    "AuthorizationHeaderMalformed": REGION,
    "PermanentRedirect": REGION,
    "IllegalLocationConstraintException": REGION,
    "IncorrectEndpoint": REGION,
    "301": REGION,
    "400": "correct AWS_S3_REGION_NAME, AWS_S3_ENDPOINT_URL or the key: S3 does not say which",
    "AccessControlListNotSupported": ACL,
    "InvalidBucketAclWithObjectOwnership": ACL,
    "RequestTimeTooSkewed": CLOCK,
    "RequestExpired": CLOCK,
    "ExpiredToken": LASTING,
    "InvalidToken": LASTING,
    "TokenRefreshRequired": LASTING,
    "InvalidBucketName": NAME,
    "EntityTooLarge": "send less at once, or raise the limit of the bucket's service",
    "EntityTooSmall": "send parts of 5 MB or more",
    "MethodNotAllowed": ENDPOINT,
    "405": ENDPOINT,
    "MissingContentLength": "send a file whose size is known, not a stream; a proxy may have taken its length away",
    "XAmzContentSHA256Mismatch": f"{CHECKSUM}; or a proxy changes what is sent",
    "BadDigest": f"{CHECKSUM}; or a proxy changes what is sent",
    "InvalidDigest": CHECKSUM,
    "NotImplemented": f"this S3 does not know a header that is sent: leave it out of OPTIONS; or {CHECKSUM}",
    "501": f"this S3 does not know a header that is sent: leave it out of OPTIONS; or {CHECKSUM}",
    "InvalidRequest": "correct what the line names; a bucket of AWS may insist on https and on Signature Version 4",
}
# boto3's own refusals, before anything is sent.
OWN_REMEDIES = {
    "NoCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "PartialCredentialsError": "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "ParamValidationError": NAME,
    "InvalidRegionError": "AWS_S3_REGION_NAME is no region: write it as eu-central-1",
    "NoRegionError": "set AWS_S3_REGION_NAME",
    "SSLError": "use an address that the certificate covers; a bucket with dots in its name has none under https",
    "ProfileNotFound": "unset AWS_PROFILE, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "AuthenticationError": "IMAGEKIT_PRIVATE_KEY is of no account: set it anew",
    "PermissionDeniedError": "let the ImageKit key write files",
}
HEADER = "an access key has a line end or a character that no header takes: set it anew"
WRITABLE = "let the site's user write there"
READ_LINE = "correct the setting that the line names"
# Codes below 500 that may pass by themselves.
PASSING = (
    "SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "TooManyRequests", "TooManyRequestsException",
    "RequestLimitExceeded", "RequestThrottled", "BandwidthLimitExceeded", "OperationAborted", "PreconditionFailed",
    "ConditionalRequestConflict", "InternalError", "ServiceUnavailable", "Busy", "NoSuchKey", "TemporaryRedirect",
)  # fmt: skip
PASSING_STATUS = (307, 408, 409, 412, 423, 425, 429)
OUTAGES = ("HTTPClientError", "ConnectionError", "IncompleteReadError", "MetadataRetrievalError")  # of botocore
# Not EROFS: an attestation starts images on a read-only file system, where pictures have no place of their own.
UNWRITABLE = (errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR)


def remedy_of(problem: BaseException) -> str:
    """What to do about a failure that is the release's own fault; empty for one that may pass or is of another kind."""
    return next((said for one in chain(problem) if (said := verdict(one)) is not None), "")


def verdict(problem: BaseException) -> str | None:
    """The remedy of a refusal, an empty text for an outage; None for what is no failure of a storage."""
    kinds = [kind.__name__ for kind in type(problem).__mro__]
    own = next((OWN_REMEDIES[kind] for kind in kinds if kind in OWN_REMEDIES), "")
    if status := status_of(problem):
        refused = remedy_of_answer(code_of(problem), status, str(problem))
        return own if refused and own else refused
    if "BotoCoreError" in kinds:
        return remedy_of_client(problem, own) if set(OUTAGES) & set(kinds) else own or READ_LINE
    if isinstance(problem, RecursionError) and of_botocore(problem):
        return REGION  # it follows a redirect that names no region for ever
    if isinstance(problem, ValueError) and str(problem).startswith("Invalid endpoint"):
        return ENDPOINT
    if isinstance(problem, PermissionError) or (isinstance(problem, OSError) and problem.errno in UNWRITABLE):
        return WRITABLE
    return None


def remedy_of_answer(code: str, status: int, message: str) -> str:
    """Of what a storage answered. code: in its own words, which of a HEAD are its status."""
    said = message.lower()
    if code.startswith("KMS.") or (code in ("AccessDenied", "403") and "kms" in said):
        return KMS
    if code in ("InvalidArgument", "InvalidRequest", "NotImplemented") and "checksum" in said:
        return CHECKSUM
    if code in REMEDIES:
        return REMEDIES[code]
    return "" if code in PASSING or status in PASSING_STATUS or status >= 500 else READ_LINE


def remedy_of_client(problem: BaseException, own: str) -> str:
    """Of a client that got no answer: as a rule an outage."""
    said = str(problem)
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return own
    if "Invalid header value" in said:
        return HEADER
    error: Any = getattr(problem, "kwargs", {}).get("error")
    nowhere = any(isinstance(one, socket.gaierror) and one.errno == socket.EAI_NONAME for one in chain(error))
    return REGION if nowhere and ".amazonaws.com" in said else ""


def of_botocore(problem: BaseException) -> bool:
    return any("botocore" in frame.f_code.co_filename for frame, _ in traceback.walk_tb(problem.__traceback__))


def chain(problem: BaseException | None) -> Iterator[BaseException]:
    """A problem and what it came from, the nearest first."""
    while problem is not None:
        yield problem
        problem = problem.__cause__ or (None if problem.__suppress_context__ else problem.__context__)


def code_of(problem: BaseException) -> str:
    """What S3 calls a failure, or an empty text."""
    answer: Any = getattr(problem, "response", None)
    try:
        return str(answer["Error"]["Code"])
    except (KeyError, TypeError):
        return ""


def status_of(problem: BaseException) -> int:
    """The HTTP status that a failure came with, 400 where there is a code alone; 0 where there was no answer."""
    answer: Any = getattr(problem, "response", None)
    try:
        return int(answer["ResponseMetadata"]["HTTPStatusCode"])
    except (KeyError, TypeError):
        code = code_of(problem)
        found: object = getattr(answer, "status_code", 0)
        return int(code) if code.isdecimal() else 400 if code else found if isinstance(found, int) else 0

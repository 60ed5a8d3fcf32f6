"""The two policy documents of the stack, as data. Pure."""

from typing import Any

from stayput.infra.settings import Mode

Document = dict[str, Any]

MEDIA = "media/"  # what the site shows
INCOMING = "incoming/"  # what browsers sent and the site has not looked at yet


def bucket_policy(bucket_arn: str, *, mode: Mode, allow_plain_http: bool = False) -> Document | None:
    """Who may do what to the bucket, beyond identities' own policies; None when there is nothing to say."""
    statements: list[Document] = []
    if not allow_plain_http:
        statements.append(
            {
                "Sid": "DenyPlainHttp",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [bucket_arn, f"{bucket_arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        )
    if mode == "public":
        statements.append(
            {
                "Sid": "AnyoneReadsMedia",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"{bucket_arn}/{MEDIA}*",
            }
        )
    return _document(statements) if statements else None


def uploader_policy(bucket_arn: str) -> Document:
    """All that the site does in the bucket, and nothing else.

    Not even listing: a thief of the key cannot learn the names of private pictures. S3 therefore answers 403,
    not 404, for a key that is not there; the site writes with If-None-Match and never needs to ask first.
    """
    return _document(
        [
            {
                "Sid": "StoreReadAndRemovePictures",
                "Effect": "Allow",
                "Action": ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"],
                "Resource": [f"{bucket_arn}/{MEDIA}*", f"{bucket_arn}/{INCOMING}*"],
            }
        ]
    )


def _document(statements: list[Document]) -> Document:
    return {"Version": "2012-10-17", "Statement": statements}

"""The media bucket: closed except for what its mode needs open, versioned, encrypted, and tidy by itself."""

import json
from collections.abc import Sequence
from functools import partial

import pulumi
from pulumi_aws import s3

from stayput.infra.policies import INCOMING, MEDIA, bucket_policy
from stayput.infra.settings import Mode

OLD_VERSIONS_DAYS = 30  # how long a deleted or overwritten picture can be brought back
INCOMING_DAYS = 1
UNFINISHED_UPLOAD_DAYS = 1
PREFLIGHT_SECONDS = 3600  # how long a browser may remember what the bucket allows


class MediaBucket(pulumi.ComponentResource):
    """The bucket and everything that is said about it."""

    bucket: pulumi.Output[str]  # its name
    arn: pulumi.Output[str]
    base_url: pulumi.Output[str]  # where media/ is read, with a slash at the end

    def __init__(
        self,
        name: str = "media",
        *,
        mode: Mode = "public",
        origins: Sequence[str] = (),
        bucket: str | None = None,
        adopt: bool = False,
        empty_on_destroy: bool = False,
        allow_plain_http: bool = False,
        endpoint_url: str = "",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """name: of the component and its resources.

        mode: "public" lets anyone read media/*; "private" only those with a signed address.
        origins: of the sites whose pages may read from the bucket and post to it, as browsers send them.
        bucket: its name; None: Pulumi makes one up. adopt: the bucket of that name exists, and is imported.
        empty_on_destroy: `destroy` removes the bucket with its objects; otherwise the bucket is protected and kept.
        allow_plain_http: without the statement that denies it. endpoint_url: of another S3 than AWS.
        """
        super().__init__("stayput:infra:MediaBucket", name, None, opts)
        self._name = name
        kept_safe = pulumi.ResourceOptions(
            parent=self,
            protect=not empty_on_destroy,
            retain_on_delete=not empty_on_destroy,
            import_=bucket if adopt else None,
        )
        made = s3.Bucket(name, bucket=bucket, force_destroy=empty_on_destroy, opts=kept_safe)
        self.bucket, self.arn = made.bucket, made.arn
        self._close(mode, allow_plain_http)
        self._keep()
        self._open_to(origins)
        if endpoint_url:
            self.base_url = pulumi.Output.concat(endpoint_url, "/", made.bucket, "/", MEDIA)
        else:
            self.base_url = pulumi.Output.concat("https://", made.bucket_regional_domain_name, "/", MEDIA)
        self.register_outputs({"bucket": self.bucket, "arn": self.arn, "base_url": self.base_url})

    def _child(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(after))

    def _close(self, mode: Mode, allow_plain_http: bool) -> None:
        """No ACLs, and no public policy unless the mode needs one."""
        s3.BucketOwnershipControls(
            self._name,
            bucket=self.bucket,
            rule=s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self._child(),
        )
        closed = mode == "private"
        access_block = s3.BucketPublicAccessBlock(
            self._name,
            bucket=self.bucket,
            block_public_acls=True,
            ignore_public_acls=True,
            block_public_policy=closed,
            restrict_public_buckets=closed,
            opts=self._child(),
        )
        document = partial(bucket_policy, mode=mode, allow_plain_http=allow_plain_http)
        if document("") is not None:
            s3.BucketPolicy(
                self._name,
                bucket=self.bucket,
                policy=self.arn.apply(lambda arn: json.dumps(document(arn))),
                opts=self._child(access_block),  # S3 refuses a public policy as long as the block is closed
            )

    def _keep(self) -> None:
        """Encryption at rest, old versions for a while, and nothing unfinished for long."""
        s3.BucketServerSideEncryptionConfiguration(
            self._name,
            bucket=self.bucket,
            rules=[
                s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=(
                        s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                            sse_algorithm="AES256"  # objects under a KMS key cannot be read anonymously
                        )
                    )
                )
            ],
            opts=self._child(),
        )
        versioning = s3.BucketVersioning(
            self._name,
            bucket=self.bucket,
            versioning_configuration=s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self._child(),
        )
        s3.BucketLifecycleConfiguration(
            self._name, bucket=self.bucket, rules=_lifecycle(), opts=self._child(versioning)
        )

    def _open_to(self, origins: Sequence[str]) -> None:
        """Pages of these sites may read pictures and post forms; no other page may."""
        if not origins:
            return
        s3.BucketCorsConfiguration(
            self._name,
            bucket=self.bucket,
            cors_rules=[
                s3.BucketCorsConfigurationCorsRuleArgs(
                    allowed_methods=["GET", "HEAD", "POST"],
                    allowed_origins=list(origins),
                    max_age_seconds=PREFLIGHT_SECONDS,
                )
            ],
            opts=self._child(),
        )


def _lifecycle() -> list[s3.BucketLifecycleConfigurationRuleArgs]:
    return [
        s3.BucketLifecycleConfigurationRuleArgs(
            id="old-versions",
            status="Enabled",
            filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
            noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=OLD_VERSIONS_DAYS
            ),
            expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
        ),
        s3.BucketLifecycleConfigurationRuleArgs(
            id="incoming",
            status="Enabled",
            filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=INCOMING),
            expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(days=INCOMING_DAYS),
            noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=INCOMING_DAYS
            ),
        ),
        s3.BucketLifecycleConfigurationRuleArgs(
            id="unfinished-uploads",
            status="Enabled",
            filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
            abort_incomplete_multipart_upload=s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                days_after_initiation=UNFINISHED_UPLOAD_DAYS
            ),
        ),
    ]

"""The media bucket: closed except for what its mode needs open, versioned, encrypted, and tidy by itself."""

import json

import pulumi
from pulumi_aws import s3

from infra.policies import INCOMING, MEDIA, bucket_policy
from infra.settings import Settings

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
        settings: Settings,
        *,
        endpoint_url: str = "",
        name: str = "media",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """endpoint_url: of this machine's cloud; empty for AWS."""
        super().__init__("stayput:infra:MediaBucket", name, None, opts)
        self._name = name
        made = s3.Bucket(
            name, bucket=settings.bucket, force_destroy=settings.empties_bucket, opts=self._kept_safe(settings)
        )
        self.bucket, self.arn = made.bucket, made.arn
        self._close(settings)
        self._keep()
        self._open_to(settings.origins)
        if endpoint_url:
            self.base_url = pulumi.Output.concat(endpoint_url, "/", made.bucket, "/", MEDIA)
        else:
            self.base_url = pulumi.Output.concat("https://", made.bucket_regional_domain_name, "/", MEDIA)
        self.register_outputs({"bucket": self.bucket, "arn": self.arn, "base_url": self.base_url})

    def _child(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(after))

    def _kept_safe(self, settings: Settings) -> pulumi.ResourceOptions:
        """A bucket of an account, or one that was there before, is never deleted or replaced by an `up`."""
        safe = not settings.empties_bucket
        existing = settings.bucket if settings.taken_over else None
        return pulumi.ResourceOptions(parent=self, protect=safe, retain_on_delete=safe, import_=existing)

    def _close(self, settings: Settings) -> None:
        """No ACLs, and no public policy unless the mode needs one."""
        s3.BucketOwnershipControls(
            self._name,
            bucket=self.bucket,
            rule=s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self._child(),
        )
        closed = settings.mode == "private"
        access_block = s3.BucketPublicAccessBlock(
            self._name,
            bucket=self.bucket,
            block_public_acls=True,
            ignore_public_acls=True,
            block_public_policy=closed,
            restrict_public_buckets=closed,
            opts=self._child(),
        )
        if bucket_policy(settings, "") is not None:
            s3.BucketPolicy(
                self._name,
                bucket=self.bucket,
                policy=self.arn.apply(lambda arn: json.dumps(bucket_policy(settings, arn))),
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

    def _open_to(self, origins: tuple[str, ...]) -> None:
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

"""The bucket and what can be said about it."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, cast

from stayput.localcloud.names import bucket_name_fault
from stayput.localcloud.policies import bucket_policy_faults, is_public
from stayput.localcloud.resource import Failure, Properties, Refused, Resource, unless_gone
from stayput.localcloud.shapes import Shape, from_aws, to_aws

if TYPE_CHECKING:
    from types_boto3_s3.literals import BucketLocationConstraintType
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef


class Bucket(Resource):
    type = "aws:s3/bucket:Bucket"
    shape: ClassVar[Shape] = {"bucket": "Bucket", "forceDestroy": "ForceDestroy"}
    required = ("bucket",)
    identity = ("bucket",)
    named_by = "bucket"

    def check(self, inputs: Properties) -> list[Failure]:
        failures = super().check(inputs)
        fault = "" if failures else bucket_name_fault(inputs["bucket"])
        return [Failure("bucket", fault)] if fault else failures

    def create(self, inputs: Properties) -> tuple[str, dict[str, Any]]:
        name = inputs["bucket"]
        if self.aws.region == "us-east-1":  # the one region that S3 does not take by name
            self.aws.s3.create_bucket(Bucket=name)
        else:
            region = cast("BucketLocationConstraintType", self.aws.region)
            self.aws.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
        return name, self.outputs(name, inputs)

    def read(self, id: str, outputs: Properties) -> dict[str, Any] | None:
        answer = unless_gone(lambda: self.aws.s3.head_bucket(Bucket=id))
        return self.outputs(id, outputs) if answer else None

    def update(self, id: str, outputs: Properties, inputs: Properties) -> dict[str, Any]:
        return self.outputs(id, inputs)

    def delete(self, id: str, outputs: Properties) -> None:
        if outputs.get("forceDestroy"):
            unless_gone(lambda: self._empty(id))
        unless_gone(lambda: self.aws.s3.delete_bucket(Bucket=id))

    def leftovers(self, inputs: Properties) -> list[str]:
        return [inputs["bucket"]]

    def _empty(self, name: str) -> None:
        # moto, unlike S3, deletes single versions only while versioning is on.
        self.aws.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        for page in self.aws.s3.get_paginator("list_object_versions").paginate(Bucket=name):
            found = (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
            if not found:
                continue
            objects: list[ObjectIdentifierTypeDef] = [
                {"Key": one.get("Key", ""), "VersionId": one.get("VersionId", "")} for one in found
            ]
            deleted = self.aws.s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
            for left in deleted.get("Errors", ()):  # asked for singly, S3's refusal is raised
                key, version = left.get("Key", ""), left.get("VersionId", "")
                self.aws.s3.delete_object(Bucket=name, Key=key, VersionId=version)

    def outputs(self, name: str, properties: Properties) -> dict[str, Any]:
        return {
            "bucket": name,
            "arn": f"arn:aws:s3:::{name}",
            "bucketDomainName": f"{name}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{name}.s3.{self.aws.region}.amazonaws.com",
            "bucketRegion": self.aws.region,
            "region": self.aws.region,
            "forceDestroy": bool(properties.get("forceDestroy")),
        }


class BucketSetting(Resource):
    """A part of a bucket's configuration that S3 puts, gets and deletes as a whole; its id is the bucket's name."""

    identity = ("bucket",)

    @abstractmethod
    def put(self, bucket: str, inputs: Properties) -> None: ...

    @abstractmethod
    def get(self, bucket: str) -> dict[str, Any]: ...

    @abstractmethod
    def remove(self, bucket: str) -> None: ...

    def create(self, inputs: Properties) -> tuple[str, dict[str, Any]]:
        return inputs["bucket"], self.update(inputs["bucket"], {}, inputs)

    def read(self, id: str, outputs: Properties) -> dict[str, Any] | None:
        return unless_gone(lambda: {"bucket": id, "region": self.aws.region, **self.get(id)})

    def update(self, id: str, outputs: Properties, inputs: Properties) -> dict[str, Any]:
        self.put(id, inputs)
        return {"bucket": id, "region": self.aws.region, **self.get(id)}

    def delete(self, id: str, outputs: Properties) -> None:
        unless_gone(lambda: self.remove(id))

    def leftovers(self, inputs: Properties) -> list[str]:
        return [inputs["bucket"]]

    def structure(self, inputs: Properties) -> Any:
        """The inputs without the bucket, as the AWS API wants them."""
        return to_aws(self.shape, {name: value for name, value in inputs.items() if name != "bucket"})


class OwnershipControls(BucketSetting):
    type = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    shape: ClassVar[Shape] = {"bucket": "Bucket", "rule": ("Rules", {"objectOwnership": "ObjectOwnership"})}
    required = ("bucket", "rule")

    def put(self, bucket: str, inputs: Properties) -> None:
        rule = self.structure(inputs)["Rules"]
        self.aws.s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [rule]})

    def get(self, bucket: str) -> dict[str, Any]:
        rules = self.aws.s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
        return from_aws(self.shape, {"Rules": rules[0]})

    def remove(self, bucket: str) -> None:
        self.aws.s3.delete_bucket_ownership_controls(Bucket=bucket)


class PublicAccessBlock(BucketSetting):
    type = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    shape: ClassVar[Shape] = {
        "bucket": "Bucket",
        "blockPublicAcls": "BlockPublicAcls",
        "ignorePublicAcls": "IgnorePublicAcls",
        "blockPublicPolicy": "BlockPublicPolicy",
        "restrictPublicBuckets": "RestrictPublicBuckets",
    }
    required = ("bucket",)

    def put(self, bucket: str, inputs: Properties) -> None:
        self.aws.s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=self.structure(inputs))

    def get(self, bucket: str) -> dict[str, Any]:
        answer = self.aws.s3.get_public_access_block(Bucket=bucket)
        return from_aws(self.shape, answer["PublicAccessBlockConfiguration"])

    def remove(self, bucket: str) -> None:
        self.aws.s3.delete_public_access_block(Bucket=bucket)


class Encryption(BucketSetting):
    type = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    shape: ClassVar[Shape] = {
        "bucket": "Bucket",
        "rules": (
            "Rules",
            {
                "applyServerSideEncryptionByDefault": (
                    "ApplyServerSideEncryptionByDefault",
                    {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"},
                ),
                "bucketKeyEnabled": "BucketKeyEnabled",
            },
        ),
    }
    required = ("bucket", "rules")

    def put(self, bucket: str, inputs: Properties) -> None:
        self.aws.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=self.structure(inputs))

    def get(self, bucket: str) -> dict[str, Any]:
        answer = self.aws.s3.get_bucket_encryption(Bucket=bucket)
        return from_aws(self.shape, answer["ServerSideEncryptionConfiguration"])

    def remove(self, bucket: str) -> None:
        self.aws.s3.delete_bucket_encryption(Bucket=bucket)


class Versioning(BucketSetting):
    type = "aws:s3/bucketVersioning:BucketVersioning"
    shape: ClassVar[Shape] = {
        "bucket": "Bucket",
        "versioningConfiguration": ("VersioningConfiguration", {"status": "Status"}),
    }
    required = ("bucket", "versioningConfiguration")

    def put(self, bucket: str, inputs: Properties) -> None:
        self.aws.s3.put_bucket_versioning(Bucket=bucket, **self.structure(inputs))

    def get(self, bucket: str) -> dict[str, Any]:
        status = self.aws.s3.get_bucket_versioning(Bucket=bucket).get("Status", "Disabled")
        return {"versioningConfiguration": {"status": status}}

    def remove(self, bucket: str) -> None:
        # Versioning cannot be taken back, only suspended.
        self.aws.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


class Lifecycle(BucketSetting):
    type = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    shape: ClassVar[Shape] = {
        "bucket": "Bucket",
        "rules": (
            "Rules",
            {
                "id": "ID",
                "status": "Status",
                "filter": ("Filter", {"prefix": "Prefix"}),
                "expiration": (
                    "Expiration",
                    {"days": "Days", "expiredObjectDeleteMarker": "ExpiredObjectDeleteMarker"},
                ),
                "noncurrentVersionExpiration": (
                    "NoncurrentVersionExpiration",
                    {"noncurrentDays": "NoncurrentDays", "newerNoncurrentVersions": "NewerNoncurrentVersions"},
                ),
                "abortIncompleteMultipartUpload": (
                    "AbortIncompleteMultipartUpload",
                    {"daysAfterInitiation": "DaysAfterInitiation"},
                ),
            },
        ),
    }
    required = ("bucket", "rules")

    def put(self, bucket: str, inputs: Properties) -> None:
        self.aws.s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=self.structure(inputs))

    def get(self, bucket: str) -> dict[str, Any]:
        return from_aws(self.shape, self.aws.s3.get_bucket_lifecycle_configuration(Bucket=bucket))

    def remove(self, bucket: str) -> None:
        self.aws.s3.delete_bucket_lifecycle(Bucket=bucket)


class Cors(BucketSetting):
    type = "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration"
    shape: ClassVar[Shape] = {
        "bucket": "Bucket",
        "corsRules": (
            "CORSRules",
            {
                "id": "ID",
                "allowedHeaders": "AllowedHeaders",
                "allowedMethods": "AllowedMethods",
                "allowedOrigins": "AllowedOrigins",
                "exposeHeaders": "ExposeHeaders",
                "maxAgeSeconds": "MaxAgeSeconds",
            },
        ),
    }
    required = ("bucket", "corsRules")

    def put(self, bucket: str, inputs: Properties) -> None:
        self.aws.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration=self.structure(inputs))

    def get(self, bucket: str) -> dict[str, Any]:
        return from_aws(self.shape, self.aws.s3.get_bucket_cors(Bucket=bucket))

    def remove(self, bucket: str) -> None:
        self.aws.s3.delete_bucket_cors(Bucket=bucket)


class Policy(BucketSetting):
    type = "aws:s3/bucketPolicy:BucketPolicy"
    shape: ClassVar[Shape] = {"bucket": "Bucket", "policy": "Policy"}
    required = ("bucket", "policy")

    def check(self, inputs: Properties) -> list[Failure]:
        failures = super().check(inputs)
        if failures:
            return failures
        return [Failure("policy", fault) for fault in bucket_policy_faults(inputs["bucket"], inputs["policy"])]

    def put(self, bucket: str, inputs: Properties) -> None:
        if is_public(inputs["policy"]) and self._blocks_public_policies(bucket):
            raise Refused(f"the bucket {bucket} blocks public policies")
        self.aws.s3.put_bucket_policy(Bucket=bucket, Policy=inputs["policy"])

    def get(self, bucket: str) -> dict[str, Any]:
        return {"policy": self.aws.s3.get_bucket_policy(Bucket=bucket)["Policy"]}

    def remove(self, bucket: str) -> None:
        self.aws.s3.delete_bucket_policy(Bucket=bucket)

    def _blocks_public_policies(self, bucket: str) -> bool:
        block = PublicAccessBlock(self.aws).read(bucket, {})
        return block is None or bool(block.get("blockPublicPolicy"))  # AWS closes a bucket that says nothing


RESOURCES = (Bucket, OwnershipControls, PublicAccessBlock, Encryption, Versioning, Lifecycle, Cors, Policy)

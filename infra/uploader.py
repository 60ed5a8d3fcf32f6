"""The site's own identity: a user that can do nothing by itself, in a group that may do what the site does."""

import json

import pulumi
from pulumi_aws import iam

from infra.policies import uploader_policy


class Uploader(pulumi.ComponentResource):
    """The user, its group, the group's policy, and one access key."""

    user_name: pulumi.Output[str]
    access_key_id: pulumi.Output[str]
    secret_access_key: pulumi.Output[str]  # a secret

    def __init__(
        self,
        bucket_arn: pulumi.Output[str],
        *,
        force_destroy: bool,
        name: str = "uploader",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """force_destroy: whether deleting the user takes keys along that the stack did not make."""
        super().__init__("stayput:infra:Uploader", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        user = iam.User(name, force_destroy=force_destroy, opts=child)
        group = iam.Group(name, opts=child)
        policy = iam.GroupPolicy(
            name,
            group=group.name,
            policy=bucket_arn.apply(lambda arn: json.dumps(uploader_policy(arn))),
            opts=child,
        )
        membership = iam.UserGroupMembership(name, user=user.name, groups=[group.name], opts=child)
        key = iam.AccessKey(
            name,
            user=user.name,
            # A key that is handed out can do its work, and it is the first thing to go.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy, membership]),
        )
        self.user_name = user.name
        self.access_key_id = key.id
        self.secret_access_key = pulumi.Output.secret(key.secret)
        self.register_outputs({"user_name": self.user_name, "access_key_id": self.access_key_id})

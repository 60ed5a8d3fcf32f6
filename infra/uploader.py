"""The site's own identity: a user that can do nothing by itself, in a group that may do what the site does."""

import json

import pulumi
from pulumi_aws import iam

from infra.policies import uploader_policy
from infra.settings import Settings


class Uploader(pulumi.ComponentResource):
    """The user, its group, the group's policy, and its access key; two keys while one follows the other."""

    user_name: pulumi.Output[str]
    access_key_id: pulumi.Output[str]
    secret_access_key: pulumi.Output[str]  # a secret

    def __init__(
        self,
        bucket_arn: pulumi.Output[str],
        settings: Settings,
        *,
        name: str = "uploader",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("stayput:infra:Uploader", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # force_destroy: deleting the user takes keys along that the stack did not make.
        user = iam.User(name, force_destroy=settings.throw_away, opts=child)
        group = iam.Group(name, opts=child)
        policy = iam.GroupPolicy(
            name,
            group=group.name,
            policy=bucket_arn.apply(lambda arn: json.dumps(uploader_policy(arn))),
            opts=child,
        )
        membership = iam.UserGroupMembership(name, user=user.name, groups=[group.name], opts=child)
        # A key that is handed out can do its work, and it is the first thing to go.
        ready = pulumi.ResourceOptions(parent=self, depends_on=[policy, membership])

        def key(generation: int, status: str) -> iam.AccessKey:
            return iam.AccessKey(f"{name}-{generation}", user=user.name, status=status, opts=ready)

        if settings.previous_key:
            key(settings.key_generation - 1, settings.previous_key.capitalize())
        handed_out = key(settings.key_generation, "Active")
        self.user_name = user.name
        self.access_key_id = handed_out.id
        self.secret_access_key = pulumi.Output.secret(handed_out.secret)
        self.register_outputs({"user_name": self.user_name, "access_key_id": self.access_key_id})

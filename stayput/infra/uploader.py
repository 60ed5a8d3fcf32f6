"""The site's own identity: a user that can do nothing by itself, in a group that may do what the site does."""

import json

import pulumi
from pulumi_aws import iam

from stayput.infra.policies import uploader_policy
from stayput.infra.settings import KeyStatus


class Uploader(pulumi.ComponentResource):
    """The user, its group, the group's policy, and its access key; two keys while one follows the other."""

    user_name: pulumi.Output[str]
    access_key_id: pulumi.Output[str]
    secret_access_key: pulumi.Output[str]  # a secret

    def __init__(
        self,
        name: str = "uploader",
        *,
        bucket_arn: pulumi.Input[str],
        key_generation: int = 1,
        previous_key: KeyStatus | None = None,
        force_destroy: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """key_generation: of the access key that is handed out; a higher number makes a new key.

        previous_key: what the generation before may still do; None: it is deleted.
        force_destroy: deleting the user takes keys along that the stack did not make.
        """
        super().__init__("stayput:infra:Uploader", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        user = iam.User(name, force_destroy=force_destroy, opts=child)
        group = iam.Group(name, opts=child)
        policy = iam.GroupPolicy(
            name,
            group=group.name,
            policy=pulumi.Output.from_input(bucket_arn).apply(lambda arn: json.dumps(uploader_policy(arn))),
            opts=child,
        )
        membership = iam.UserGroupMembership(name, user=user.name, groups=[group.name], opts=child)
        # A key that is handed out can do its work, and it is the first thing to go.
        ready = pulumi.ResourceOptions(parent=self, depends_on=[policy, membership])

        def key(generation: int, status: str) -> iam.AccessKey:
            return iam.AccessKey(f"{name}-{generation}", user=user.name, status=status, opts=ready)

        if previous_key:
            key(key_generation - 1, previous_key.capitalize())
        handed_out = key(key_generation, "Active")
        self.user_name = user.name
        self.access_key_id = handed_out.id
        self.secret_access_key = pulumi.Output.secret(handed_out.secret)
        self.register_outputs({"user_name": self.user_name, "access_key_id": self.access_key_id})

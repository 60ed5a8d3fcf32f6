"""The user, its group, and its access key."""

import json
from functools import partial
from typing import Any, ClassVar, Literal

from stayput.localcloud.policies import identity_policy_faults
from stayput.localcloud.resource import Failure, Properties, Resource, unless_gone
from stayput.localcloud.shapes import Shape


class User(Resource):
    type = "aws:iam/user:User"
    shape: ClassVar[Shape] = {"name": "UserName", "forceDestroy": "ForceDestroy"}
    required = ("name",)
    identity = ("name",)
    named_by = "name"

    def create(self, inputs: Properties) -> tuple[str, dict[str, Any]]:
        self.aws.iam.create_user(UserName=inputs["name"])
        return inputs["name"], self._outputs(inputs["name"], inputs)

    def read(self, id: str, outputs: Properties) -> dict[str, Any] | None:
        return unless_gone(lambda: self._outputs(id, outputs))

    def update(self, id: str, outputs: Properties, inputs: Properties) -> dict[str, Any]:
        return self._outputs(id, inputs)

    def delete(self, id: str, outputs: Properties) -> None:
        if outputs.get("forceDestroy"):
            unless_gone(lambda: self._strip(id))
        unless_gone(lambda: self.aws.iam.delete_user(UserName=id))

    def leftovers(self, inputs: Properties) -> list[str]:
        return [inputs["name"]]

    def _strip(self, name: str) -> None:
        """Take from the user what would keep it from being deleted."""
        for key in self.aws.iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            self.aws.iam.delete_access_key(UserName=name, AccessKeyId=key.get("AccessKeyId", ""))
        for policy in self.aws.iam.list_user_policies(UserName=name)["PolicyNames"]:
            self.aws.iam.delete_user_policy(UserName=name, PolicyName=policy)
        for attached in self.aws.iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]:
            self.aws.iam.detach_user_policy(UserName=name, PolicyArn=attached.get("PolicyArn", ""))

    def _outputs(self, name: str, properties: Properties) -> dict[str, Any]:
        user = self.aws.iam.get_user(UserName=name)["User"]
        return {
            "name": user["UserName"],
            "arn": user["Arn"],
            "path": user["Path"],
            "uniqueId": user["UserId"],
            "forceDestroy": bool(properties.get("forceDestroy")),
        }


class Group(Resource):
    type = "aws:iam/group:Group"
    shape: ClassVar[Shape] = {"name": "GroupName"}
    required = ("name",)
    identity = ("name",)
    named_by = "name"

    def create(self, inputs: Properties) -> tuple[str, dict[str, Any]]:
        self.aws.iam.create_group(GroupName=inputs["name"])
        return inputs["name"], self._outputs(inputs["name"])

    def read(self, id: str, outputs: Properties) -> dict[str, Any] | None:
        return unless_gone(lambda: self._outputs(id))

    def update(self, id: str, outputs: Properties, inputs: Properties) -> dict[str, Any]:
        return self._outputs(id)

    def delete(self, id: str, outputs: Properties) -> None:
        unless_gone(lambda: self.aws.iam.delete_group(GroupName=id))

    def leftovers(self, inputs: Properties) -> list[str]:
        return [inputs["name"]]

    def _outputs(self, name: str) -> dict[str, Any]:
        group = self.aws.iam.get_group(GroupName=name)["Group"]
        return {
            "name": group["GroupName"],
            "arn": group["Arn"],
            "path": group["Path"],
            "uniqueId": group["GroupId"],
        }


class GroupPolicy(Resource):
    """A policy that is part of its group; its id is "GROUP:POLICY"."""

    type = "aws:iam/groupPolicy:GroupPolicy"
    shape: ClassVar[Shape] = {"group": "GroupName", "name": "PolicyName", "policy": "PolicyDocument"}
    required = ("group", "name", "policy")
    identity = ("group", "name")
    named_by = "name"

    def check(self, inputs: Properties) -> list[Failure]:
        failures = super().check(inputs)
        if failures:
            return failures
        return [Failure("policy", fault) for fault in identity_policy_faults(inputs["policy"])]

    def create(self, inputs: Properties) -> tuple[str, dict[str, Any]]:
        id = f"{inputs['group']}:{inputs['name']}"
        return id, self.update(id, {}, inputs)

    def read(self, id: str, outputs: Properties) -> dict[str, Any] | None:
        group, _, name = id.partition(":")
        answer = unless_gone(lambda: self.aws.iam.get_group_policy(GroupName=group, PolicyName=name))
        return answer and {"group": group, "name": name, "policy": json.dumps(answer["PolicyDocument"])}

    def update(self, id: str, outputs: Properties, inputs: Properties) -> dict[str, Any]:
        group, _, name = id.partition(":")
        self.aws.iam.put_group_policy(GroupName=group, PolicyName=name, PolicyDocument=inputs["policy"])
        return {"group": group, "name": name, "policy": json.dumps(json.loads(inputs["policy"]))}

    def delete(self, id: str, outputs: Properties) -> None:
        group, _, name = id.partition(":")
        unless_gone(lambda: self.aws.iam.delete_group_policy(GroupName=group, PolicyName=name))

    def leftovers(self, inputs: Properties) -> list[str]:
        return [f"{inputs['group']}:{inputs['name']}"]


class UserGroupMembership(Resource):
    """The groups of a user that the stack put it in; its id is "USER/GROUP/GROUP" as it was created."""

    type = "aws:iam/userGroupMembership:UserGroupMembership"
    shape: ClassVar[Shape] = {"user": "UserName", "groups": "GroupNames"}
    required = ("user", "groups")
    identity = ("user",)

    def create(self, inputs: Properties) -> tuple[str, dict[str, Any]]:
        id = "/".join([inputs["user"], *sorted(inputs["groups"])])
        return id, self.update(id, {}, inputs)

    def read(self, id: str, outputs: Properties) -> dict[str, Any] | None:
        user, *groups = id.split("/")
        answer = unless_gone(lambda: self.aws.iam.list_groups_for_user(UserName=user))
        member_of = {group["GroupName"] for group in answer["Groups"]} if answer else set[str]()
        kept = sorted(member_of & set(outputs.get("groups", groups)))
        return {"user": user, "groups": kept} if kept else None

    def update(self, id: str, outputs: Properties, inputs: Properties) -> dict[str, Any]:
        user = id.split("/")[0]
        for group in set(outputs.get("groups", ())) - set(inputs["groups"]):
            self.aws.iam.remove_user_from_group(UserName=user, GroupName=group)
        for group in inputs["groups"]:
            self.aws.iam.add_user_to_group(UserName=user, GroupName=group)
        return {"user": user, "groups": sorted(inputs["groups"])}

    def delete(self, id: str, outputs: Properties) -> None:
        user, *groups = id.split("/")
        for group in outputs.get("groups", groups):
            unless_gone(partial(self.aws.iam.remove_user_from_group, UserName=user, GroupName=group))

    def leftovers(self, inputs: Properties) -> list[str]:
        return ["/".join([inputs["user"], *sorted(inputs["groups"])])]


class AccessKey(Resource):
    """Its id is public; its secret is shown once, when it is created."""

    type = "aws:iam/accessKey:AccessKey"
    shape: ClassVar[Shape] = {"user": "UserName", "status": "Status"}
    required = ("user",)
    identity = ("user",)

    def create(self, inputs: Properties) -> tuple[str, dict[str, Any]]:
        key = self.aws.iam.create_access_key(UserName=inputs["user"])["AccessKey"]
        made = {"user": inputs["user"], "status": "Active", "secret": key["SecretAccessKey"]}
        return key["AccessKeyId"], made if _status(inputs) == "Active" else self.update(
            key["AccessKeyId"], made, inputs
        )

    def read(self, id: str, outputs: Properties) -> dict[str, Any] | None:
        status = self._keys(outputs["user"]).get(id)
        return {**outputs, "status": status} if status else None

    def update(self, id: str, outputs: Properties, inputs: Properties) -> dict[str, Any]:
        status = _status(inputs)
        self.aws.iam.update_access_key(UserName=inputs["user"], AccessKeyId=id, Status=status)
        return {**outputs, "status": status}

    def delete(self, id: str, outputs: Properties) -> None:
        unless_gone(lambda: self.aws.iam.delete_access_key(UserName=outputs["user"], AccessKeyId=id))

    def leftovers(self, inputs: Properties) -> list[str]:
        return list(self._keys(inputs["user"]))

    def _keys(self, user: str) -> dict[str, str]:
        """The user's keys and whether each is "Active" or "Inactive"; a user has two at most."""
        answer = unless_gone(lambda: self.aws.iam.list_access_keys(UserName=user))
        keys = answer["AccessKeyMetadata"] if answer else []
        return {key.get("AccessKeyId", ""): key.get("Status", "Active") for key in keys}


def _status(inputs: Properties) -> Literal["Active", "Inactive"]:
    return "Inactive" if inputs.get("status") == "Inactive" else "Active"


RESOURCES = (User, Group, GroupPolicy, UserGroupMembership, AccessKey)

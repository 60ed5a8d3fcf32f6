"""What others gave the uploader: keys, policies and groups that the stack knows nothing of, as nothing in it could."""

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import partial

from stayput.engine import Drift
from stayput.engine.account import explaining
from stayput.localcloud.resource import Aws, unless_gone


@dataclass(frozen=True)
class Stray:
    """One right too many, and how it goes."""

    drift: Drift
    remove: Callable[[], object]

    def take_away(self) -> None:
        """Raises StayputError."""
        with explaining(f"{self.drift.resource}, which {self.drift.what}", "see whether your own key may change IAM"):
            self.remove()


def find(aws: Aws, known: Mapping[str, Set[str]]) -> list[Stray]:
    """Everything that the stack's users and groups have beyond what it made. Reads only.

    known: the ids of the stack's resources by their short type. Raises StayputError.
    """
    with explaining("the uploader's rights", "see whether your own key may read IAM"):
        users = [stray for user in sorted(known.get("User", ())) for stray in _of_user(aws, user, known)]
        return [*users, *(stray for group in sorted(known.get("Group", ())) for stray in _of_group(aws, group, known))]


def _of_user(aws: Aws, user: str, known: Mapping[str, Set[str]]) -> Iterator[Stray]:
    iam = aws.iam
    if unless_gone(lambda: iam.get_user(UserName=user)) is None:
        return
    for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
        if (id := key.get("AccessKeyId", "")) not in known.get("AccessKey", ()):
            what = f"has a key {id} ({key.get('Status', '').lower()}) that the stack did not make"
            yield _stray("User", user, what, partial(iam.delete_access_key, UserName=user, AccessKeyId=id))
    for name in iam.list_user_policies(UserName=user)["PolicyNames"]:
        remove = partial(iam.delete_user_policy, UserName=user, PolicyName=name)
        yield _stray("User", user, f"has a policy of its own, {name}", remove)
    for one in iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]:
        arn = one.get("PolicyArn", "")
        remove = partial(iam.detach_user_policy, UserName=user, PolicyArn=arn)
        yield _stray("User", user, f"has the policy {arn} attached", remove)
    for group in iam.list_groups_for_user(UserName=user)["Groups"]:
        if (name := group["GroupName"]) not in known.get("Group", ()):
            remove = partial(iam.remove_user_from_group, UserName=user, GroupName=name)
            yield _stray("User", user, f"is in the group {name}", remove)


def _of_group(aws: Aws, group: str, known: Mapping[str, Set[str]]) -> Iterator[Stray]:
    iam = aws.iam
    if unless_gone(lambda: iam.get_group(GroupName=group)) is None:
        return
    for name in iam.list_group_policies(GroupName=group)["PolicyNames"]:
        if f"{group}:{name}" not in known.get("GroupPolicy", ()):
            remove = partial(iam.delete_group_policy, GroupName=group, PolicyName=name)
            yield _stray("Group", group, f"has a policy {name} that the stack did not make", remove)
    for one in iam.list_attached_group_policies(GroupName=group)["AttachedPolicies"]:
        arn = one.get("PolicyArn", "")
        remove = partial(iam.detach_group_policy, GroupName=group, PolicyArn=arn)
        yield _stray("Group", group, f"has the policy {arn} attached", remove)


def _stray(kind: str, name: str, what: str, remove: Callable[[], object]) -> Stray:
    return Stray(Drift(f"{kind} {name}", what), remove)

"""Users, access keys and managed policies with boto3 (IAM API reference, 2010-05-08)."""

import json

from harness.account import client, fresh, refusal

LIST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}]}
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:ListRoles", "Resource": "*"}]}


class User:
    """A user with an access key, and clients that use it."""

    def __init__(self, account, **members):
        self.account = account
        self.name = fresh("user")
        self.made = account.iam.create_user(UserName=self.name, **members)["User"]
        self.key = account.iam.create_access_key(UserName=self.name)["AccessKey"]

    def client(self, service, key=None):
        key = key or self.key
        return client(service, self.account.gateway.management, key["AccessKeyId"], key["SecretAccessKey"])

    def allow(self, document=LIST, name="p"):
        self.account.iam.put_user_policy(UserName=self.name, PolicyName=name, PolicyDocument=json.dumps(document))


def test_a_user_comes_back_as_it_was_made(account):
    user = User(account, Path="/staff/", Tags=[{"Key": "team", "Value": "größe"}])
    assert user.made["Arn"] == f"arn:aws:iam::{account.id}:user/staff/{user.name}"
    assert user.made["UserId"].startswith("AIDA")
    found = account.iam.get_user(UserName=user.name)["User"]
    assert found == user.made
    assert user.name in [one["UserName"] for one in account.iam.list_users(PathPrefix="/staff/")["Users"]]
    assert refusal(account.iam.create_user, UserName=user.name.upper()) == (
        409, "EntityAlreadyExists", f"User with name {user.name.upper()} already exists.")
    who = user.client("sts").get_caller_identity()
    assert (who["Arn"], who["UserId"]) == (user.made["Arn"], user.made["UserId"])


def test_keys_are_effective_at_once(account):
    user = User(account)
    user.allow()
    user.client("iam").list_roles()
    second = account.iam.create_access_key(UserName=user.name)["AccessKey"]
    assert refusal(account.iam.create_access_key, UserName=user.name)[:2] == (409, "LimitExceeded")
    set_status = lambda status: account.iam.update_access_key(UserName=user.name, AccessKeyId=user.key["AccessKeyId"], Status=status)
    set_status("Inactive")
    assert refusal(user.client("iam").list_roles)[:2] == (403, "InvalidClientTokenId")
    assert refusal(user.client("lambda").list_functions)[:2] == (403, "UnrecognizedClientException")
    user.client("iam", second).list_roles()
    statuses = {one["AccessKeyId"]: one["Status"] for one in account.iam.list_access_keys(UserName=user.name)["AccessKeyMetadata"]}
    assert statuses == {user.key["AccessKeyId"]: "Inactive", second["AccessKeyId"]: "Active"}
    set_status("Active")
    user.client("iam").list_roles()
    account.iam.delete_access_key(UserName=user.name, AccessKeyId=user.key["AccessKeyId"])
    assert refusal(user.client("iam").list_roles)[:2] == (403, "InvalidClientTokenId")
    wrong = {**second, "SecretAccessKey": user.key["SecretAccessKey"]}
    assert refusal(user.client("iam", wrong).list_roles)[:2] == (403, "SignatureDoesNotMatch")
    assert refusal(account.iam.delete_access_key, UserName=user.name, AccessKeyId=user.key["AccessKeyId"])[:2] == (404, "NoSuchEntity")


def test_managed_policies(account):
    user = User(account)
    iam = account.iam
    name = fresh("policy")
    made = iam.create_policy(PolicyName=name, Path="/shared/", Description="what for", PolicyDocument=json.dumps(LIST), Tags=[{"Key": "k", "Value": "v"}])["Policy"]
    arn = made["Arn"]
    assert arn == f"arn:aws:iam::{account.id}:policy/shared/{name}"
    assert (made["PolicyId"][:4], made["DefaultVersionId"], made["AttachmentCount"], made["IsAttachable"]) == ("ANPA", "v1", 0, True)
    role = account.role().rsplit("/", 1)[1]
    iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    user.client("iam").list_roles()
    found = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (found["AttachmentCount"], found["Description"], found["Tags"]) == (2, "what for", [{"Key": "k", "Value": "v"}])
    entities = iam.list_entities_for_policy(PolicyArn=arn)
    assert [one["UserName"] for one in entities["PolicyUsers"]] == [user.name]
    assert [one["RoleName"] for one in entities["PolicyRoles"]] == [role]
    assert iam.list_entities_for_policy(PolicyArn=arn, EntityFilter="Role")["PolicyUsers"] == []
    assert iam.list_attached_user_policies(UserName=user.name)["AttachedPolicies"] == [{"PolicyName": name, "PolicyArn": arn}]
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == [{"PolicyName": name, "PolicyArn": arn}]
    assert arn in [one["Arn"] for one in iam.list_policies(Scope="Local", OnlyAttached=True)["Policies"]]
    assert iam.list_policies(Scope="AWS")["Policies"] == []

    second = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(DENY), SetAsDefault=True)["PolicyVersion"]
    assert (second["VersionId"], second["IsDefaultVersion"]) == ("v2", True)
    assert refusal(user.client("iam").list_roles)[:2] == (403, "AccessDenied")
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    user.client("iam").list_roles()
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]["Document"] == DENY
    assert [one["VersionId"] for one in iam.list_policy_versions(PolicyArn=arn)["Versions"]] == ["v2", "v1"]
    for number in range(3):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(LIST))
    assert refusal(iam.create_policy_version, PolicyArn=arn, PolicyDocument=json.dumps(LIST))[:2] == (409, "LimitExceeded")
    assert refusal(iam.delete_policy_version, PolicyArn=arn, VersionId="v1")[:2] == (409, "DeleteConflict")
    assert refusal(iam.delete_policy, PolicyArn=arn)[:2] == (409, "DeleteConflict")
    iam.detach_user_policy(UserName=user.name, PolicyArn=arn)
    iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    assert refusal(iam.detach_role_policy, RoleName=role, PolicyArn=arn)[:2] == (404, "NoSuchEntity")
    for version in ("v2", "v3", "v4", "v5"):
        iam.delete_policy_version(PolicyArn=arn, VersionId=version)
    iam.delete_policy(PolicyArn=arn)
    assert refusal(iam.get_policy, PolicyArn=arn)[:2] == (404, "NoSuchEntity")
    assert refusal(iam.attach_user_policy, UserName=user.name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess") == (
        404, "NoSuchEntity", "Policy arn:aws:iam::aws:policy/AdministratorAccess does not exist or is not attachable.")


def test_inline_policies_and_tags_of_users(account):
    user = User(account)
    user.allow(name="one")
    assert account.iam.get_user_policy(UserName=user.name, PolicyName="one")["PolicyDocument"] == LIST
    assert account.iam.list_user_policies(UserName=user.name)["PolicyNames"] == ["one"]
    long = {**LIST, "Statement": [{**LIST["Statement"][0], "Sid": "s" * 2048}]}
    status, error, message = refusal(
        account.iam.put_user_policy, UserName=user.name, PolicyName="two", PolicyDocument=json.dumps(long))
    assert (status, error, message) == (409, "LimitExceeded", f"Maximum policy size of 2048 bytes exceeded for user {user.name}")
    account.iam.tag_user(UserName=user.name, Tags=[{"Key": "k", "Value": "v"}, {"Key": "l", "Value": ""}])
    account.iam.untag_user(UserName=user.name, TagKeys=["K"])
    assert account.iam.list_user_tags(UserName=user.name)["Tags"] == [{"Key": "l", "Value": ""}]
    assert account.iam.list_groups_for_user(UserName=user.name)["Groups"] == []
    account.iam.delete_user_policy(UserName=user.name, PolicyName="one")
    assert refusal(account.iam.delete_user, UserName=user.name) == (
        409, "DeleteConflict", "Cannot delete entity, must delete access keys first.")
    account.iam.delete_access_key(UserName=user.name, AccessKeyId=user.key["AccessKeyId"])
    account.iam.delete_user(UserName=user.name)
    assert refusal(account.iam.get_user, UserName=user.name)[:2] == (404, "NoSuchEntity")


def test_policies_are_simulated(account):
    user = User(account)
    user.allow({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "lambda:*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}}},
        {"Effect": "Deny", "Action": "lambda:DeleteFunction", "Resource": "*"},
    ]}, name="mine")
    ask = lambda **members: [
        (one["EvalActionName"], one["EvalDecision"])
        for one in account.iam.simulate_principal_policy(PolicySourceArn=user.made["Arn"], **members)["EvaluationResults"]
    ]
    blue = [{"ContextKeyName": "aws:PrincipalTag/team", "ContextKeyValues": ["blue"], "ContextKeyType": "string"}]
    actions = ["lambda:GetFunction", "lambda:DeleteFunction", "iam:GetRole"]
    decisions = lambda first: list(zip(actions, [first, "explicitDeny", "implicitDeny"]))
    assert ask(ActionNames=actions, ContextEntries=blue) == decisions("allowed")
    assert ask(ActionNames=actions) == decisions("implicitDeny")
    assert ask(ActionNames=["iam:GetRole"], PolicyInputList=[json.dumps({**LIST, "Statement": [{**LIST["Statement"][0], "Action": "iam:*"}]})]) == [
        ("iam:GetRole", "allowed")]
    missing = f"arn:aws:iam::{account.id}:user/nobody-at-all"
    assert refusal(account.iam.simulate_principal_policy, PolicySourceArn=missing, ActionNames=actions)[:2] == (404, "NoSuchEntity")

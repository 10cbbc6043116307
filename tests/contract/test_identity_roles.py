"""Which role a signed-in user gets, and which tags: role mappings by token and by rules, principal tags from claims."""

import json

import pytest

from harness import code
from harness.account import refusal, with_credentials
from harness.pool import Pool, document

TAGGED = {"authenticated": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]}


@pytest.fixture(scope="module")
def pool(account, issuer):
    return Pool(account, [issuer], trusts=TAGGED)


@pytest.fixture(scope="module")
def roles(account, pool):
    """Two roles more that signed-in users may get."""
    trust = document("trust-signed-in", pool.id)
    return {name: account.role(trust, {"default": document("signed-in", pool.id)}) for name in ("gold", "silver")}


_subjects = (f"roles-{number}" for number in range(1, 10_000))


def given(pool, issuer, custom=None, **claims):
    """The ARN of the role that somebody with these claims is given."""
    app = pool.app()
    logins = {issuer.login: issuer.token(next(_subjects), **claims)}
    members = {"CustomRoleArn": custom} if custom else {}
    credentials = app.credentials(app.get_id(logins), logins, **members)["Credentials"]
    arn = with_credentials("sts", app.endpoint, credentials).get_caller_identity()["Arn"]
    return f"arn:aws:iam::{arn.split(':')[4]}:role/{arn.split('/')[1]}"


def mapped(account, pool, mapping, key):
    account.identity.set_identity_pool_roles(IdentityPoolId=pool.id, Roles=pool.roles, RoleMappings={key: mapping})
    answer = account.identity.get_identity_pool_roles(IdentityPoolId=pool.id)
    assert answer["RoleMappings"] == {key: mapping} and answer["Roles"] == pool.roles


def test_a_token_chooses_the_role(account, pool, issuer, roles):
    mapped(account, pool, {"Type": "Token", "AmbiguousRoleResolution": "Deny"}, issuer.login)
    both = [roles["gold"], roles["silver"]]
    preferred = {"cognito:roles": both, "cognito:preferred_role": roles["gold"]}
    assert given(pool, issuer, **preferred) == roles["gold"]
    assert given(pool, issuer, custom=roles["silver"], **preferred) == roles["silver"]
    assert given(pool, issuer, **{"cognito:roles": both[1:]}) == roles["silver"]
    for refused in (
        refusal(given, pool, issuer, **{"cognito:roles": both}),
        refusal(given, pool, issuer),
        refusal(given, pool, issuer, custom=pool.roles["authenticated"], **preferred),
    ):
        assert refused[:2] == (400, "NotAuthorizedException")
    # A role that does not trust the pool is not given, whatever a token says.
    assert refusal(given, pool, issuer, **{"cognito:preferred_role": account.execution_role})[1] == (
        "InvalidIdentityPoolConfigurationException"
    )
    mapped(account, pool, {"Type": "Token", "AmbiguousRoleResolution": "AuthenticatedRole"}, issuer.login)
    assert given(pool, issuer, **{"cognito:roles": both}) == pool.roles["authenticated"]


def test_rules_choose_the_role(account, pool, issuer, roles):
    rule = lambda kind, value, role: {"Claim": "tier", "MatchType": kind, "Value": value, "RoleARN": roles[role]}
    for kind, matching, other in (
        ("Equals", "gold", "golden"), ("Contains", "a-gold-b", "silver"), ("StartsWith", "golden", "a-gold"),
        ("NotEqual", "silver", "gold"),
    ):
        rules = {"Rules": [rule(kind, "gold", "gold")]}
        mapping = {"Type": "Rules", "AmbiguousRoleResolution": "AuthenticatedRole", "RulesConfiguration": rules}
        # By the provider's name, by its ARN, and for one client of it.
        for key in (issuer.login, pool.providers[0], f"{issuer.login}:{issuer.CLIENT}"):
            mapped(account, pool, mapping, key)
            assert given(pool, issuer, tier=matching) == roles["gold"]
            assert given(pool, issuer, tier=other) == pool.roles["authenticated"]
            assert given(pool, issuer) == pool.roles["authenticated"], "a claim that is not there matches nothing"
    rules = {"Rules": [rule("Equals", "gold", "gold"), rule("StartsWith", "g", "silver")]}
    mapped(account, pool, {"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": rules}, issuer.login)
    assert given(pool, issuer, tier="gold") == roles["gold"], "the first that matches"
    assert given(pool, issuer, custom=roles["silver"], tier="gold") == roles["silver"]
    assert given(pool, issuer, tier="grey") == roles["silver"]
    assert refusal(given, pool, issuer, tier="blue")[:2] == (400, "NotAuthorizedException")


def test_claims_become_principal_tags(account, pool, issuer):
    """In the context of functions, and in policies as `aws:PrincipalTag`."""
    account.identity.set_identity_pool_roles(IdentityPoolId=pool.id, Roles=pool.roles)
    name = account.function(code.SEES, Tags={"callgate:allow": "signed-in", "tier": "gold"})
    app = pool.app()

    def call(**claims):
        logins = {issuer.login: issuer.token(next(_subjects), **claims)}
        functions = app.functions(app.get_id(logins), logins)
        return json.loads(functions.invoke(FunctionName=name)["Payload"].read())["callgate"]["principalTags"]

    try:
        members = {"IdentityPoolId": pool.id, "IdentityProviderName": issuer.login}
        answer = account.identity.set_principal_tag_attribute_map(**members, PrincipalTags={"Tier": "tier"})
        assert answer["PrincipalTags"] == {"Tier": "tier"} and answer["UseDefaults"] is False
        assert account.identity.get_principal_tag_attribute_map(**members)["PrincipalTags"] == {"Tier": "tier"}
        assert call(tier="gold") == {"Tier": "gold"}
        assert call() == {}
        only_gold = {
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*",
                "Condition": {"StringEquals": {"aws:ResourceTag/tier": "${aws:PrincipalTag/Tier}"}},
            }],
        }
        role = pool.roles["authenticated"].rsplit("/", 1)[1]
        account.iam.put_role_policy(RoleName=role, PolicyName="default", PolicyDocument=json.dumps(only_gold))
        assert call(tier="gold") == {"Tier": "gold"}
        assert refusal(call, tier="silver")[:2] == (403, "AccessDeniedException")
        account.identity.set_principal_tag_attribute_map(**members, UseDefaults=True)
        logins = {issuer.login: issuer.token("somebody")}
        shown = app.identity.get_open_id_token(IdentityId=app.get_id(logins), Logins=logins)["Token"]
        assert shown.count(".") == 2
    finally:
        account.identity.set_principal_tag_attribute_map(**members)


def test_a_role_must_let_its_sessions_be_tagged(account, issuer):
    """As AWS has it: the trust policy must allow sts:TagSession."""
    plain = Pool(account, [issuer])
    account.identity.set_principal_tag_attribute_map(
        IdentityPoolId=plain.id, IdentityProviderName=issuer.login, UseDefaults=True
    )
    assert refusal(given, plain, issuer)[1] == "InvalidIdentityPoolConfigurationException"

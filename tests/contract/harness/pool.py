"""An identity pool with the shipped default documents, and an app that signs its users in at it."""

import json

from harness.account import client, fresh, with_credentials
from harness.gateway import REPOSITORY

DEFAULTS = REPOSITORY / "policies/defaults"


def document(name, pool_id):
    return json.loads((DEFAULTS / f"{name}.json").read_text().replace("${POOL}", pool_id))


class Pool:
    def __init__(self, account, issuers=(), *, guests=True, roles=True, policies=None, trusts=None, **settings):
        self.account = account
        self.providers = []
        for issuer in issuers:
            self.providers.append(provider_of(account, issuer))
        self.id = account.identity.create_identity_pool(
            IdentityPoolName=fresh("pool"),
            AllowUnauthenticatedIdentities=guests,
            OpenIdConnectProviderARNs=self.providers,
            **{"AllowClassicFlow": True, **settings},
        )["IdentityPoolId"]
        self.roles = {}
        if roles:
            for kind, name in (("unauthenticated", "guest"), ("authenticated", "signed-in")):
                policy = (policies or {}).get(kind) or document(name, self.id)
                trust = document(f"trust-{name}", self.id)
                for statement in trust["Statement"]:
                    statement["Action"] = (trusts or {}).get(kind, statement["Action"])
                self.roles[kind] = account.role(trust, {"default": policy})
            account.identity.set_identity_pool_roles(IdentityPoolId=self.id, Roles=self.roles)

    @property
    def arn(self):
        return f"arn:aws:cognito-identity:us-east-1:{self.account.id}:identitypool/{self.id}"

    def app(self):
        return App(self)


_providers = {}


def provider_of(account, issuer):
    """The account's OpenID Connect provider for this issuer; an account has one for each URL."""
    key = (account.gateway.endpoint, account.id, issuer.url)
    if key not in _providers:
        _providers[key] = account.iam.create_open_id_connect_provider(
            Url=issuer.url, ClientIDList=[issuer.CLIENT], ThumbprintList=["0" * 40]
        )["OpenIDConnectProviderArn"]
    return _providers[key]


class App:
    """What an app on a device has: the pool's id, and no keys."""

    def __init__(self, pool):
        self.pool = pool
        self.endpoint = pool.account.gateway.endpoint
        self.identity = client("cognito-identity", self.endpoint)

    def get_id(self, logins=None):
        members = {"Logins": logins} if logins else {}
        return self.identity.get_id(IdentityPoolId=self.pool.id, **members)["IdentityId"]

    def credentials(self, identity, logins=None, **members):
        if logins:
            members["Logins"] = logins
        return self.identity.get_credentials_for_identity(IdentityId=identity, **members)

    def functions(self, identity, logins=None):
        """A Lambda client with this identity's credentials."""
        return with_credentials("lambda", self.endpoint, self.credentials(identity, logins)["Credentials"])

    def guest(self):
        identity = self.get_id()
        return identity, self.functions(identity)

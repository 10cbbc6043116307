"""Logins of providers that pools support by name, and of user pools, by unmodified boto3."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.account import client, fresh, refusal
from harness.issuer import Issuer

CLIENT = "app1"


class SocialServer:
    """Answers as the Graph API and Login with Amazon document it, for one good token of each."""

    def __init__(self):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                bearer = self.headers.get("Authorization")
                answers = {
                    ("/app?fields=id", "Bearer good"): {"id": CLIENT},
                    ("/me?fields=id", "Bearer good"): {"id": "4711"},
                    ("/app?fields=id", "Bearer foreign"): {"id": "other"},
                    ("/auth/o2/tokeninfo?access_token=good", None): {"aud": CLIENT, "user_id": "amzn1.A", "exp": 3600, "iat": 1},
                }
                found = answers.get((self.path, bearer))
                body = json.dumps(found or {"error": "invalid_token"}).encode()
                self.send_response(200 if found else 400)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def social():
    made = SocialServer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def google():
    made = Issuer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def configuration(google, social):
    return {
        "CALLGATE_OIDC__ALLOW_LOOPBACK_HTTP": "true",
        "CALLGATE_OIDC__GOOGLE_ISSUER": google.url,
        "CALLGATE_OIDC__APPLE_ISSUER": google.url,
        "CALLGATE_OIDC__FACEBOOK_API": social.url,
        "CALLGATE_OIDC__AMAZON_API": social.url,
    }


def pool(account, **members):
    made = account.identity.create_identity_pool(
        IdentityPoolName=fresh("pool"), AllowUnauthenticatedIdentities=False, **members
    )
    for name, value in members.items():
        assert made[name] == value
    return made["IdentityPoolId"]


def get_id(gateway, pool_id, logins):
    return client("cognito-identity", gateway.endpoint).get_id(IdentityPoolId=pool_id, Logins=logins)["IdentityId"]


@pytest.mark.parametrize("name", ["accounts.google.com", "appleid.apple.com"])
def test_google_and_apple_with_several_clients(gateway, account, google, name):
    app = pool(account, SupportedLoginProviders={name: f"{CLIENT};app2"})
    first = get_id(gateway, app, {name: google.token("ann", aud=CLIENT)})
    assert get_id(gateway, app, {name: google.token("ann", aud="app2")}) == first
    assert refusal(get_id, gateway, app, {name: google.token("ann", aud="app3")})[1] == "NotAuthorizedException"


def test_a_user_pools_id_token_is_a_login_and_its_access_token_is_none(gateway, account, issuer):
    clients = [
        {"ProviderName": issuer.login, "ClientId": client_id, "ServerSideTokenCheck": False} for client_id in (CLIENT, "app2")
    ]
    app = pool(account, CognitoIdentityProviders=clients)
    first = get_id(gateway, app, {issuer.login: issuer.token("ann", aud=CLIENT, token_use="id")})
    assert get_id(gateway, app, {issuer.login: issuer.token("ann", aud="app2", token_use="id")}) == first
    for token in (issuer.token("ann", aud=CLIENT, token_use="access"), issuer.token("ann", aud=CLIENT)):
        assert refusal(get_id, gateway, app, {issuer.login: token})[1] == "NotAuthorizedException"


def test_facebook_and_amazon_are_asked(gateway, account):
    app = pool(account, SupportedLoginProviders={"graph.facebook.com": CLIENT, "www.amazon.com": CLIENT})
    ann = get_id(gateway, app, {"graph.facebook.com": "good"})
    assert get_id(gateway, app, {"graph.facebook.com": "good", "www.amazon.com": "good"}) == ann
    assert get_id(gateway, app, {"www.amazon.com": "good"}) == ann
    for logins in ({"graph.facebook.com": "foreign"}, {"graph.facebook.com": "made-up"}, {"www.amazon.com": "made-up"}):
        assert refusal(get_id, gateway, app, logins)[1] == "NotAuthorizedException", logins


def test_twitter_and_saml_are_refused_by_name(account):
    create = account.identity.create_identity_pool
    members = {"IdentityPoolName": fresh("pool"), "AllowUnauthenticatedIdentities": False}
    status, code, message = refusal(create, SupportedLoginProviders={"api.twitter.com": "key;secret"}, **members)
    assert (status, code) == (400, "InvalidParameterException") and "Twitter (OAuth 1.0a) is not supported" in message
    saml = ["arn:aws:iam::000000000000:saml-provider/corp"]
    status, code, message = refusal(create, SamlProviderARNs=saml, **members)
    assert (status, code) == (400, "InvalidParameterException") and "SamlProviderARNs is not supported" in message

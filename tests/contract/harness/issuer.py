"""A local OpenID Connect issuer that can also be wrong, in every way a test asks for."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def base64url(data):
    if isinstance(data, str):
        data = data.encode()
    elif isinstance(data, int):
        data = data.to_bytes((data.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class RsaKey:
    algorithm = "RS256"

    def __init__(self, kid):
        self.kid = kid
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def jwk(self):
        numbers = self.private.public_key().public_numbers()
        return {"kty": "RSA", "kid": self.kid, "use": "sig", "alg": self.algorithm,
                "n": base64url(numbers.n), "e": base64url(numbers.e)}

    def public_pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, signed, algorithm="RS256"):
        digest = {"RS256": hashes.SHA256, "RS384": hashes.SHA384, "RS512": hashes.SHA512}[algorithm]()
        return self.private.sign(signed, padding.PKCS1v15(), digest)


class EcKey:
    algorithm = "ES256"

    def __init__(self, kid):
        self.kid = kid
        self.private = ec.generate_private_key(ec.SECP256R1())

    def jwk(self):
        numbers = self.private.public_key().public_numbers()
        coordinate = lambda value: base64url(value.to_bytes(32, "big"))
        return {"kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig", "alg": self.algorithm,
                "x": coordinate(numbers.x), "y": coordinate(numbers.y)}

    def sign(self, signed, algorithm="ES256"):
        r, s = decode_dss_signature(self.private.sign(signed, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Issuer:
    """Serves discovery and keys on loopback, and makes tokens."""

    CLIENT = "contract-app"

    def __init__(self):
        self.keys = [RsaKey("rsa-1"), EcKey("ec-1")]
        self.requests = []
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.requests.append(self.path)
                document = issuer.document(self.path)
                body = json.dumps(document).encode()
                self.send_response(200 if document is not None else 404)
                self.send_header("Content-Type", "application/json")
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

    @property
    def login(self):
        """The key of its logins in a `Logins` map: the URL without its scheme."""
        return self.url.removeprefix("http://")

    def document(self, path):
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            }
        if path == "/keys":
            return {"keys": [key.jwk() for key in self.keys]}
        return None

    def token(self, subject, *, key=None, header=None, drop=(), **claims):
        """A good ID token, but for what `header`, `claims` and `drop` change."""
        key = key or self.keys[0]
        now = int(time.time())
        payload = {"iss": self.url, "aud": self.CLIENT, "sub": subject, "iat": now, "exp": now + 600, **claims}
        for name in drop:
            payload.pop(name, None)
        head = {"typ": "JWT", "alg": key.algorithm, "kid": key.kid, **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        return self.signed(json.dumps(head), json.dumps(payload), key, head.get("alg"))

    @staticmethod
    def signed(head, payload, key, algorithm=None):
        signed = f"{base64url(head)}.{base64url(payload)}".encode()
        # A header may lie about the algorithm; the key can only do its own.
        if algorithm is None or algorithm[:2] != key.algorithm[:2]:
            algorithm = key.algorithm
        return f"{signed.decode()}.{base64url(key.sign(signed, algorithm))}"

    def token_with_hmac_of_public_key(self, subject):
        """The old confusion: a verifier that lets the token choose HS256 takes the public key for the secret."""
        now = int(time.time())
        head = json.dumps({"typ": "JWT", "alg": "HS256", "kid": self.keys[0].kid})
        payload = json.dumps({"iss": self.url, "aud": self.CLIENT, "sub": subject, "iat": now, "exp": now + 600})
        signed = f"{base64url(head)}.{base64url(payload)}"
        mac = hmac.HMAC(self.keys[0].public_pem(), hashes.SHA256())
        mac.update(signed.encode())
        return f"{signed}.{base64url(mac.finalize())}"

"""OpenID providers served for real: `oidc-provider-mock`, and one of our own that lies in whichever way a test says."""

from __future__ import annotations

import hmac
import json
import threading
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from oidc_provider_mock import User, run_server_in_thread

CLIENT = "evidenced"


@contextmanager
def honest(*users):
    """Serve `oidc-provider-mock` with *users* (sub, claims), and give its issuer."""
    with run_server_in_thread(user_claims=[User(sub=sub, claims=claims) for sub, claims in users]) as server:
        yield f"http://localhost:{server.server_port}"


def configuration(issuer, more="", access=""):
    """Return the sections of a configuration that name the provider *issuer*."""
    return f'[web.oidc]\nissuer = "{issuer}"\nclient_id = "{CLIENT}"\n{more}\n[web.access]\n{access}\n'


def at_provider(browser, sub, then="/api/gated/page"):
    """Let *browser* go to the provider and sign in there as *sub*; return the URL by which it is sent back."""
    there = browser.get("/sign-in/oidc", params={"next": then}).headers["location"]
    answer = requests.post(there, data={"sub": sub}, allow_redirects=False, timeout=30)
    return answer.headers["location"]


def come_in(browser, sub, then="/api/gated/page"):
    """Let *browser* sign in through the provider as *sub*, and return the answer it gets when it is back."""
    return browser.get(at_provider(browser, sub, then))


class Liar:
    """A provider whose answers a test may spoil.

    *claims* go over those of a good ID token (None takes one away), *document* over what it publishes. *signed* makes
    the token of its claims; *userinfo* is what it says there.
    """

    def __init__(self, issuer):
        self.issuer = issuer
        self.key = RSAKey.generate_key(2048, auto_kid=True)
        self.published = [self.key]
        self.claims, self.document, self.userinfo = {}, {}, None
        self.signed = self.well
        self.nonce, self.asked, self.status = "", [], 200

    def well(self, claims):
        """Sign *claims* as an honest provider does."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def by_another_key(self, claims):
        """Sign *claims* by a key that is not the provider's, under the name of its own."""
        other = RSAKey.generate_key(2048)
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, other)

    def by_no_key(self, claims):
        """Return *claims* unsigned, as ``alg`` ``none`` says."""
        return _joined({"alg": "none", "typ": "JWT"}, claims) + "."

    def by_its_public_key(self, claims):
        """Sign *claims* with HS256, the public key as the secret that both are meant to have."""
        signed = _joined({"alg": "HS256", "typ": "JWT", "kid": self.key.kid}, claims)
        secret = self.key.as_pem(private=False)
        return f"{signed}.{_base64(hmac.digest(secret, signed.encode(), 'sha256'))}"

    def by_the_clients_secret(self, claims):
        """Sign *claims* with HS256 and the client's secret, which providers may but ours must not."""
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key("the secret of the client"), algorithms=["HS256"])

    def altered(self, claims):
        """Sign *claims*, and then put other claims under the signature."""
        head, _, signature = self.well(claims).split(".")
        return ".".join([head, self.well({**claims, "email": "root@example.org"}).split(".")[1], signature])

    def token(self, now):
        """Return the ID token that the next code is changed for."""
        good = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "u-1",
            "nonce": self.nonce,
            "iat": int(now),
            "exp": int(now) + 300,
            "email": "ben@example.org",
        }
        return self.signed({key: each for key, each in {**good, **self.claims}.items() if each is not None})

    def answer(self, path, form, now):
        """Return what is answered at *path*."""
        self.asked.append((path, form))
        if path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
            names |= {} if self.userinfo is None else {"userinfo_endpoint": "userinfo"}
            ours = {key: f"{self.issuer}/{each}" for key, each in names.items()}
            return {"issuer": self.issuer, **ours, **self.document}
        if path == "/jwks":
            return {"keys": [each.as_dict(private=False) for each in self.published]}
        if path == "/userinfo":
            return self.userinfo
        return {"access_token": "a-1", "token_type": "Bearer", "id_token": self.token(now)}


def _joined(*parts):
    return ".".join(_base64(json.dumps(each).encode()) for each in parts)


def _base64(data):
    return urlsafe_b64encode(data).decode().rstrip("=")


@contextmanager
def lying(clock):
    """Serve a `Liar` that tells the time by *clock*, and give it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            size = int(self.headers.get("content-length", 0))
            form = parse_qs(self.rfile.read(size).decode())
            body = json.dumps(liar.answer(urlsplit(self.path).path, form, clock.now().timestamp())).encode()
            self.send_response(liar.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    liar = Liar(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield liar
    server.shutdown()
    server.server_close()
    thread.join()


def brought_back(browser, liar, **more):
    """Go to the *liar* and come back with a code; *more* goes over the query. Return the answer."""
    there = browser.get("/sign-in/oidc", params={"next": "/api/gated/page"}).headers["location"]
    asked = {key: each[0] for key, each in parse_qs(urlsplit(there).query).items()}
    liar.nonce = asked.get("nonce", "")
    return browser.get("/sign-in/callback", params={"state": asked["state"], "code": "c-1", **more})

"""Who gives Microsoft's access tokens, on loopback: the authority over TLS, a machine's metadata, the command line."""

from __future__ import annotations

import base64
import json
import ssl
import time
import uuid

import jwt
import trustme
from cryptography.x509 import load_pem_x509_certificate

from tests.http.loopback import Loopback, Reply

TENANT = "7a3b8f10-0000-4000-8000-0000000000aa"
APPLICATION = "7a3b8f10-0000-4000-8000-0000000000bb"
OBJECT = "7a3b8f10-0000-4000-8000-0000000000cc"
PERSON = "7a3b8f10-0000-4000-8000-0000000000dd"
SECRET = "planted~Secret8Q~of.the.application"
WORKLOAD = "token.of.the.workload"
_TOKEN = f"/{TENANT}/oauth2/v2.0/token"


class Authority:
    """Issues tokens for what *fakes* hold, by the address in the scope, to who proves to be the application.

    *claims* are put into the tokens, over those of the application. *certificate* is the one that it knows (PEM).
    """

    def __init__(self, fakes):
        self._ca = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert("127.0.0.1").configure_cert(context)
        self._fakes = fakes
        self.claims = {}
        self.certificate = b""
        self.issued = []
        self.refused = []
        self.server = Loopback(context)
        self.metadata = Loopback()
        self.server.on(f"GET /{TENANT}/v2.0/.well-known/openid-configuration", self._configuration())
        self.server.on(f"POST {_TOKEN}", self._answer)
        self.metadata.on("GET /metadata/identity/oauth2/token", self._machine)

    def root(self, path):
        """Write the certificate to trust into the file *path*."""
        self._ca.cert_pem.write_to_path(path)

    def token(self, resource, **claims):
        """Return a new token for *resource* that its fake takes."""
        now = int(time.time())
        said = {"aud": resource, "tid": TENANT, "oid": OBJECT, "appid": APPLICATION, "iat": now, "exp": now + 3600}
        parts = ({"alg": "none"}, said | self.claims | claims | {"uti": str(uuid.uuid4())})
        token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        self.issued.append(token + ".c2ln")
        return self._fakes[resource].tokens.admit(self.issued[-1])

    def close(self):
        self.server.close()
        self.metadata.close()

    def _configuration(self):
        base = f"{self.server.url}/{TENANT}"
        return {
            "token_endpoint": self.server.url + _TOKEN,
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "issuer": f"{base}/v2.0",
        }

    def _answer(self, heard):
        resource = heard.form["scope"].removesuffix("/.default")
        wrong = self._wrong(heard.form)
        if wrong:
            self.refused.append(wrong)
            said = f"AADSTS7000215: Invalid client secret provided: {heard.form.get('client_secret')}"
            return Reply({"error": "invalid_client", "error_description": said, "error_codes": [7000215]}, 401)
        return {"token_type": "Bearer", "expires_in": 3599, "access_token": self.token(resource)}

    def _wrong(self, form):
        if (form["grant_type"], form["client_id"]) != ("client_credentials", APPLICATION):
            return "not the application's client credentials"
        if "client_secret" in form:
            return "" if form["client_secret"] == SECRET else "the secret"
        if form["client_assertion"] == WORKLOAD:
            return ""
        try:
            jwt.decode(
                form["client_assertion"],
                load_pem_x509_certificate(self.certificate).public_key(),
                algorithms=["PS256", "RS256"],
                audience=self.server.url + _TOKEN,
                issuer=APPLICATION,
            )
        except (ValueError, jwt.PyJWTError) as error:
            return f"the assertion: {error}"
        return ""

    def _machine(self, heard):
        if heard.headers.get("metadata") != "true":
            return Reply({"error": "bad_request"}, 400)
        resource = heard.query["resource"]
        return {
            "access_token": self.token(resource),
            "expires_in": "3599",
            "expires_on": str(int(time.time()) + 3599),
            "resource": resource,
            "token_type": "Bearer",
        }

"""An authorization server on Authlib's IDJAGGrant. Usage: python authlib_server.py PORT IDP_ISSUER"""

import json
import sys
import urllib.request

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.drafts.id_jag import IDJAGGrant
from authlib.oauth2.rfc6749 import ClientMixin
from flask import Flask
from joserfc.jwk import KeySet

PORT, IDP = int(sys.argv[1]), sys.argv[2]
ISSUER = f"http://127.0.0.1:{PORT}"
SEEN = set()


class Vendor(ClientMixin):
    """The one client."""

    client_id = "acme-at-vendor"

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return scope if set((scope or "").split()) <= {"files:read"} else ""

    def check_redirect_uri(self, redirect_uri):
        return False

    def check_client_secret(self, client_secret):
        return client_secret == "vendor-side-secret"

    def check_endpoint_auth_method(self, method, endpoint):
        return method == "client_secret_basic"

    def check_response_type(self, response_type):
        return False

    def check_grant_type(self, grant_type):
        return grant_type == IDJAGGrant.GRANT_TYPE


def fetch(url):
    """Reads a JSON document."""
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


class Grant(IDJAGGrant):
    """Trusts one issuer, by its published metadata."""

    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

    def get_audiences(self):
        return [ISSUER]

    def resolve_issuer_key(self, issuer, headers):
        if issuer != IDP:
            raise ValueError("untrusted issuer")
        metadata = fetch(IDP + "/.well-known/openid-configuration")
        keys = KeySet.import_key_set(fetch(metadata["jwks_uri"]))
        # Unless told otherwise, this library expects RS256.
        return keys

    def authenticate_user(self, subject):
        return {"sub": subject}

    def check_jti(self, claims, jti):
        fresh = jti not in SEEN
        SEEN.add(jti)
        return fresh

    def check_id_jag_permission(self, client, user, scopes):
        return True


app = Flask(__name__)
client = Vendor()
server = AuthorizationServer(
    app,
    query_client=lambda client_id: client if client_id == client.client_id else None,
    save_token=lambda token, request: None,
)
server.register_grant(Grant)


@app.post("/token")
def token():
    """The token endpoint."""
    return server.create_token_response()


app.run("127.0.0.1", PORT)

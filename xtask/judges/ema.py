"""Enterprise-managed authorization with the official Python client, ending in a tool result.

Usage: python ema.py SETTINGS_JSON ID_TOKEN
"""

import asyncio
import json
import sys

import httpx2
from mcp import ClientSession
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.streamable_http import streamable_http_client

SETTINGS = json.loads(sys.argv[1])
ID_TOKEN = sys.argv[2]


class Memory:
    """Token storage for one run."""

    tokens = None
    client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


async def id_jag(audience: str, resource: str) -> str:
    """Exchanges the ID token at the identity provider."""
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "requested_token_type": "urn:ietf:params:oauth:token-type:id-jag",
        "subject_token": ID_TOKEN,
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "audience": audience,
        "resource": resource,
        "scope": SETTINGS["scope"],
    }
    credentials = (SETTINGS["idp_client"], SETTINGS["idp_secret"])
    async with httpx2.AsyncClient() as http:
        response = await http.post(SETTINGS["idp"] + "/token", auth=credentials, data=form)
        response.raise_for_status()
        return response.json()["access_token"]


async def main() -> None:
    """Runs the flow and fails unless a tool answers."""
    provider = IdentityAssertionOAuthProvider(
        server_url=SETTINGS["mcp"],
        storage=Memory(),
        client_id=SETTINGS["as_client"],
        client_secret=SETTINGS["as_secret"],
        issuer=SETTINGS["as"],
        assertion_provider=id_jag,
        scope=SETTINGS["scope"],
        token_endpoint_auth_method="client_secret_basic",
    )
    async with httpx2.AsyncClient(auth=provider) as http:
        async with streamable_http_client(SETTINGS["mcp"], http_client=http) as streams:
            async with ClientSession(streams[0], streams[1]) as session:
                await session.initialize()
                names = [tool.name for tool in (await session.list_tools()).tools]
                assert SETTINGS["tool"] in names, names
                result = await session.call_tool(SETTINGS["tool"], SETTINGS.get("arguments", {}))
                assert not result.is_error and result.content, result
                print("tool result:", result.content)


asyncio.run(main())

//! The token endpoint (OpenID Connect Core §3.1.3): a code becomes an ID token.

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use symbolon_protocol::{
    client_authentication::PresentedCredentials,
    oauth_error::{OAuthError, OAuthErrorCode},
    random,
    token_request::{AuthorizationCodeRequest, ClientParameters, TokenRequest},
};

use super::{
    Client, Provider, Shared,
    code::Code,
    id_token::{self, IdToken},
    refuse,
};

const WRONG_CODE: OAuthError =
    OAuthError::new(OAuthErrorCode::InvalidGrant, "the code is not valid");

/// `POST /token`.
pub(super) async fn answer(State(provider): Shared, headers: HeaderMap, body: Bytes) -> Response {
    match exchange(&provider, &headers, &body) {
        Ok(tokens) => {
            let no_store = [(header::CACHE_CONTROL, "no-store")];
            (no_store, Json(tokens)).into_response()
        }
        Err(error) => refuse(error),
    }
}

fn exchange(provider: &Provider, headers: &HeaderMap, body: &[u8]) -> Result<Value, OAuthError> {
    let (request, parameters) = TokenRequest::parse(body)?;
    let client = authenticate(provider, headers, parameters)?;
    let TokenRequest::AuthorizationCode(request) = request else {
        let code = OAuthErrorCode::UnsupportedGrantType;
        return Err(OAuthError::new(
            code,
            "only authorization_code is supported",
        ));
    };
    let code = redeem(provider, client, &request)?;
    let person = provider.person(&code.session.person).ok_or(WRONG_CODE)?;
    let access_token = random::token();
    let now = provider.clock.now();
    let claims = IdToken::new(&provider.issuer, person, &code, &access_token, now);
    let failed = OAuthError::new(OAuthErrorCode::ServerError, "the token cannot be signed");
    let id_token = provider.key.sign("JWT", &claims).map_err(|_| failed)?;
    Ok(json!({
        "access_token": access_token.expose(),
        "token_type": "Bearer",
        "expires_in": id_token::LIFETIME.as_secs(),
        "scope": code.scope,
        "id_token": id_token,
    }))
}

fn authenticate<'a>(
    provider: &'a Provider,
    headers: &HeaderMap,
    parameters: ClientParameters,
) -> Result<&'a Client, OAuthError> {
    let failed = OAuthError::new(
        OAuthErrorCode::InvalidClient,
        "client authentication failed",
    );
    let authorization = headers.get(header::AUTHORIZATION);
    let authorization = authorization
        .map(|value| value.to_str())
        .transpose()
        .map_err(|_| failed)?;
    let (id, secret) = match PresentedCredentials::read(authorization, parameters)? {
        PresentedCredentials::Basic { client_id, secret }
        | PresentedCredentials::Post { client_id, secret } => (client_id, secret),
        PresentedCredentials::None { .. } | PresentedCredentials::Assertion { .. } => {
            return Err(failed);
        }
    };
    let client = provider
        .client(&id)
        .filter(|client| client.secret == secret);
    client.ok_or(failed)
}

fn redeem(
    provider: &Provider,
    client: &Client,
    request: &AuthorizationCodeRequest,
) -> Result<Code, OAuthError> {
    let code = provider.codes.redeem(&request.code, provider.clock.now());
    let code = code
        .filter(|code| code.client == client.id)
        .ok_or(WRONG_CODE)?;
    let is_same_place = match &request.redirect_uri {
        Some(redirect_uri) => *redirect_uri == code.redirect_uri,
        None => client.redirect_uris.len() == 1,
    };
    let is_same_client = code.challenge.verify(&request.code_verifier).is_ok();
    (is_same_place && is_same_client)
        .then_some(code)
        .ok_or(WRONG_CODE)
}

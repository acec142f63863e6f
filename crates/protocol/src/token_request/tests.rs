//! Wire examples of requirements §6 and the negative cases that parsing decides.

use proptest::prelude::*;

use super::*;

const VERIFIER: &str = "vq0L2mZ8yT4rXk7aWc9Dn3HsJf6GpUeB1QxRiYoKtNM";

fn parse(body: &str) -> Result<(TokenRequest, ClientParameters), OAuthError> {
    TokenRequest::parse(body.as_bytes())
}

fn refused(body: &str) -> OAuthErrorCode {
    parse(body).map(|_| ()).unwrap_err().code
}

/// Requirements §6.5.
#[test]
fn a_code_is_read_with_its_verifier() {
    let (request, client) = parse(&format!(
        "grant_type=authorization_code&code=c0d3-5521&redirect_uri=https%3A%2F%2Fagent.initech.example%2Fcb\
         &code_verifier={VERIFIER}&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
         &client_assertion=a.b.c"
    ))
    .unwrap();
    let TokenRequest::AuthorizationCode(request) = request else {
        panic!("{request:?}")
    };
    assert_eq!(request.code.expose(), "c0d3-5521");
    assert_eq!(
        request.redirect_uri.as_deref(),
        Some("https://agent.initech.example/cb")
    );
    assert_eq!(request.code_verifier.expose(), VERIFIER);
    assert_eq!(client.client_assertion.unwrap().expose(), "a.b.c");
    assert_eq!(client.client_id, None);
}

/// Requirements §6.6.
#[test]
fn a_token_exchange_is_read() {
    let (request, _) = parse(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
         &requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid-jag\
         &audience=https%3A%2F%2Fauth.tracker.example%2Ft1\
         &resource=https%3A%2F%2Fmcp.tracker.example%2Fmcp\
         &scope=issues%3Aread%20issues%3Acomment&subject_token=x.y.z\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token",
    )
    .unwrap();
    assert_eq!(request.grant(), GrantType::TokenExchange);
    let TokenRequest::TokenExchange(request) = request else {
        panic!("{request:?}")
    };
    assert_eq!(request.requested_token_type, Some(TokenType::IdJag));
    assert_eq!(request.subject_token_type, TokenType::IdToken);
    assert_eq!(
        request.audience.as_deref(),
        Some("https://auth.tracker.example/t1")
    );
    assert_eq!(
        request.resource.unwrap().as_str(),
        "https://mcp.tracker.example/mcp"
    );
    assert_eq!(
        request.scope.unwrap().to_string(),
        "issues:read issues:comment"
    );
}

/// Requirements §6.8; scope and resource are optional.
#[test]
fn an_assertion_is_read() {
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
    let (request, _) = parse(&format!("{grant}&assertion=x.y.z&scope=&resource=")).unwrap();
    let TokenRequest::JwtBearer(request) = request else {
        panic!("{request:?}")
    };
    assert_eq!(request.assertion.expose(), "x.y.z");
    assert_eq!((request.scope, request.resource), (None, None));
}

/// N-070.
#[test]
fn the_grant_type_must_be_there_and_known() {
    assert_eq!(refused(""), OAuthErrorCode::InvalidRequest);
    assert_eq!(refused("grant_type="), OAuthErrorCode::InvalidRequest);
    assert_eq!(
        refused("grant_type=password"),
        OAuthErrorCode::UnsupportedGrantType
    );
    assert_eq!(
        refused("grant_type=Refresh_Token"),
        OAuthErrorCode::UnsupportedGrantType
    );
}

/// N-074.
#[test]
fn a_code_needs_a_verifier() {
    let code = "grant_type=authorization_code&code=c";
    assert_eq!(refused(code), OAuthErrorCode::InvalidRequest);
    assert_eq!(
        refused(&format!("{code}&code_verifier=short")),
        OAuthErrorCode::InvalidGrant
    );
}

/// AS-25: `resource` is the only parameter that may repeat, and then names one resource.
#[test]
fn repeated_parameters_are_refused() {
    let refresh = "grant_type=refresh_token&refresh_token=r";
    for repeated in [
        "scope=a&scope=a",
        "client_id=a&client_id=b",
        "audience=a&audience=b",
        "x=&x=",
    ] {
        assert_eq!(
            refused(&format!("{refresh}&{repeated}")),
            OAuthErrorCode::InvalidRequest
        );
    }
    let twice = "resource=https://a.example/&resource=https://a.example/";
    assert!(parse(&format!("{refresh}&{twice}")).is_ok());
    let two = "resource=https://a.example/&resource=https://b.example/";
    assert_eq!(
        refused(&format!("{refresh}&{two}")),
        OAuthErrorCode::InvalidTarget
    );
}

#[test]
fn malformed_values_have_their_own_codes() {
    let refresh = "grant_type=refresh_token&refresh_token=r";
    for (parameter, code) in [
        ("resource=/mcp", OAuthErrorCode::InvalidTarget),
        (
            "resource=https://a.example/%23x",
            OAuthErrorCode::InvalidTarget,
        ),
        ("scope=%22", OAuthErrorCode::InvalidScope),
        ("scope=%ff", OAuthErrorCode::InvalidRequest),
    ] {
        assert_eq!(
            refused(&format!("{refresh}&{parameter}")),
            code,
            "{parameter}"
        );
    }
    assert_eq!(
        refused("grant_type=refresh_token"),
        OAuthErrorCode::InvalidRequest
    );
}

#[test]
fn token_types_must_be_known_and_complete() {
    let exchange = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token=x";
    let id_token = "subject_token_type=urn:ietf:params:oauth:token-type:id_token";
    for rest in [
        String::new(),
        "&subject_token_type=id_token".to_owned(),
        format!("&{id_token}&requested_token_type=urn:x"),
        format!("&{id_token}&actor_token=y"),
        format!("&{id_token}&actor_token_type=urn:ietf:params:oauth:token-type:jwt"),
    ] {
        assert_eq!(
            refused(&format!("{exchange}{rest}")),
            OAuthErrorCode::InvalidRequest,
            "{rest}"
        );
    }
    assert!(parse(&format!("{exchange}&{id_token}")).is_ok());
}

#[test]
fn debug_output_has_no_secret() {
    let body = "grant_type=refresh_token&refresh_token=hunter2&client_id=c&client_secret=hunter2";
    assert!(!format!("{:?}", parse(body).unwrap()).contains("hunter2"));
}

proptest! {
    #[test]
    fn parsing_never_panics(
        grant in "(authorization_code|refresh_token|urn:ietf:params:oauth:grant-type:(jwt-bearer|token-exchange))",
        rest in "(&(code|scope|resource|assertion|subject_token|client_id|code_verifier)=\\PC{0,20}){0,6}",
    ) {
        let _ = parse(&format!("grant_type={grant}{rest}"));
        let _ = parse(&rest);
    }
}

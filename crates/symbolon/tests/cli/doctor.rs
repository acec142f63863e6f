//! `doctor`: what is wrong is named together with what to change.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::thread;

use super::support::Folder;

#[test]
fn a_key_that_others_can_read_is_a_problem() {
    let folder = Folder::deployed();
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(folder.path("symbolon.kek"), open).unwrap();

    let found = folder.run(&["doctor"]);

    assert_eq!(found.code(), 1);
    found.assert_says(&["problem: the key-encryption key", "chmod 600"]);
}

#[test]
fn a_deployment_that_does_not_run_is_told_to_start() {
    let folder = Folder::deployed();

    let found = folder.run(&["doctor"]);

    assert_eq!(found.code(), 1);
    found.assert_says(&[
        "ok: the database opens",
        "ok: 4 of 4 definitions are in force",
        "ok: every assignment and policy compiles",
        "warning: there are no signing keys yet",
        "start `symbolon serve`",
    ]);
}

#[test]
fn a_look_migrates_and_creates_nothing() {
    let folder = Folder::initialized();

    assert_eq!(folder.run(&["doctor"]).code(), 1);

    assert!(!folder.path("symbolon.db").exists());
}

#[test]
fn a_server_with_enterprise_sign_in_is_fine() {
    let server = Server::start(Fault::None);

    let found = Folder::empty().run(&["doctor", &server.url]);

    assert_eq!(found.code(), 0, "{}", found.stdout());
    found.assert_says(&["Bearer challenge", "PKCE with S256", "ID-JAGs are redeemed"]);
}

/// CL-03.
#[test]
fn metadata_of_another_resource_ends_the_walk() {
    let server = Server::start(Fault::OtherResource);

    let found = Folder::empty().run(&["doctor", &server.url]);

    assert_eq!(found.code(), 1);
    found.assert_says(&["byte for byte"]);
    assert!(!found.stdout().contains("PKCE"), "{}", found.stdout());
}

/// CL-06.
#[test]
fn metadata_of_another_issuer_does_not_count() {
    let server = Server::start(Fault::OtherIssuer);

    let found = Folder::empty().run(&["doctor", &server.url]);

    assert_eq!(found.code(), 1);
    found.assert_says(&["problem: authorization server", "trailing slash"]);
}

/// CL-07.
#[test]
fn an_authorization_server_without_pkce_is_a_problem() {
    let server = Server::start(Fault::NoPkce);

    let found = Folder::empty().run(&["doctor", &server.url]);

    assert_eq!(found.code(), 1);
    found.assert_says(&["code_challenge_methods_supported"]);
}

#[test]
fn a_server_that_answers_without_a_token_is_not_protected() {
    let server = Server::start(Fault::Open);

    let found = Folder::empty().run(&["doctor", &server.url]);

    assert_eq!(found.code(), 1);
    found.assert_says(&["answers without a token"]);
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Fault {
    None,
    OtherResource,
    OtherIssuer,
    NoPkce,
    Open,
}

/// An MCP server with its authorization server, on loopback.
struct Server {
    url: String,
}

impl Server {
    fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let url = format!("{origin}/mcp");
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &origin, fault);
            }
        });
        Self { url }
    }
}

fn answer(mut stream: TcpStream, origin: &str, fault: Fault) {
    let path = read(&stream);
    let (status, header, body) = response(&path, origin, fault);
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{header}\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
}

/// Reads one request and answers its path.
fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    reader.take(length).read_to_end(&mut Vec::new()).unwrap();
    first.split(' ').nth(1).unwrap_or_default().to_owned()
}

fn response(path: &str, origin: &str, fault: Fault) -> (&'static str, String, String) {
    let none = String::new();
    let metadata = format!("{origin}/.well-known/oauth-protected-resource/mcp");
    match path {
        "/mcp" if fault == Fault::Open => ("200 OK", none, "{}".to_owned()),
        "/mcp" => {
            let challenge = format!("Bearer resource_metadata=\"{metadata}\"");
            (
                "401 Unauthorized",
                format!("WWW-Authenticate: {challenge}\r\n"),
                none,
            )
        }
        "/.well-known/oauth-protected-resource/mcp" => {
            let other = if fault == Fault::OtherResource {
                "/"
            } else {
                ""
            };
            let body = serde_json::json!({
                "resource": format!("{origin}/mcp{other}"),
                "authorization_servers": [format!("{origin}/as")],
            });
            ("200 OK", none, body.to_string())
        }
        "/.well-known/oauth-authorization-server/as" => {
            ("200 OK", none, authorization_server(origin, fault))
        }
        _ => ("404 Not Found", none, "{}".to_owned()),
    }
}

fn authorization_server(origin: &str, fault: Fault) -> String {
    let other = if fault == Fault::OtherIssuer { "/" } else { "" };
    let methods: &[&str] = if fault == Fault::NoPkce {
        &[]
    } else {
        &["S256"]
    };
    serde_json::json!({
        "issuer": format!("{origin}/as{other}"),
        "authorization_endpoint": format!("{origin}/as/authorize"),
        "token_endpoint": format!("{origin}/as/token"),
        "code_challenge_methods_supported": methods,
        "grant_types_supported": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "authorization_grant_profiles_supported":
            ["urn:ietf:params:oauth:grant-profile:id-jag"],
    })
    .to_string()
}

//! `policy`: the answer of the engine that `serve` asks, and its reasons.

use super::support::{Ended, Folder};

fn explain(folder: &Folder, about: &[&str]) -> Ended {
    let whom = [
        "policy",
        "explain",
        "--organization",
        "acme",
        "--user",
        "ada@acme.example",
    ];
    let arguments = [
        &whom[..],
        &["--client", "desk-agent", "--server", "tracker"],
        about,
    ];
    folder.run(&arguments.concat())
}

#[tokio::test]
async fn what_an_assignment_allows_is_explained_by_it() {
    let folder = Folder::deployed();
    folder.person("ada@acme.example").await;

    let allowed = explain(&folder, &["--tool", "list_issues"]);

    allowed.assert_done();
    allowed.assert_says(&[
        "call_tool on tool list_issues of tracker",
        "allowed",
        "readers",
    ]);
}

#[tokio::test]
async fn what_nothing_allows_is_denied_with_the_reason() {
    let folder = Folder::deployed();
    folder.person("ada@acme.example").await;

    let denied = explain(&folder, &["--scope", "issues:write"]);

    assert_eq!(denied.code(), 1);
    denied.assert_says(&["denied", "no assignment or policy allows it"]);
}

#[tokio::test]
async fn without_scope_and_tool_everything_of_a_server_is_asked() {
    let folder = Folder::deployed();
    folder.person("ada@acme.example").await;

    let answers = explain(&folder, &["--json"]).json();

    let allowed: Vec<&str> = answers["answers"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|answer| answer["explanation"]["decision"]["answer"] == "allow")
        .map(|answer| answer["on"].as_str().unwrap())
        .collect();
    assert_eq!(
        allowed,
        [
            "scope issues:read of tracker",
            "tool list_issues of tracker"
        ]
    );
}

#[test]
fn a_person_who_never_signed_in_is_not_guessed() {
    let folder = Folder::deployed();

    explain(&folder, &["--scope", "issues:read"]).assert_refused(&["first sign in"]);
}

#[test]
fn an_assignment_is_shown_as_the_cedar_that_decides() {
    let folder = Folder::deployed();

    let shown = folder.run(&["policy", "show", "--organization", "acme"]);

    shown.assert_done();
    shown.assert_says(&["// assignment:readers", "permit (", "tracker"]);
}

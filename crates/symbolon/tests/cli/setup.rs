//! `init`, the configuration and usage.

use std::os::unix::fs::PermissionsExt;

use clap::CommandFactory;
use symbolon::cli::Arguments;

use super::support::Folder;

#[test]
fn the_command_line_fits_together() {
    Arguments::command().debug_assert();
}

#[test]
fn init_never_overwrites() {
    let folder = Folder::initialized();
    let key = std::fs::read_to_string(folder.path("symbolon.kek")).unwrap();

    folder
        .run(&["init"])
        .assert_refused(&["symbolon.kek", "exists already"]);

    assert_eq!(
        std::fs::read_to_string(folder.path("symbolon.kek")).unwrap(),
        key
    );
}

#[test]
fn the_key_of_init_is_for_its_owner_alone() {
    let folder = Folder::initialized();

    let mode = std::fs::metadata(folder.path("symbolon.kek"))
        .unwrap()
        .permissions()
        .mode();

    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let folder = Folder::initialized();
    folder.write(
        "symbolon.toml",
        "public_url = \"https://id.example\"\n[listen]\nadress = \"x\"\n",
    );

    let refused = folder.run(&["key", "list"]);

    refused.assert_refused(&["symbolon.toml", "adress", "line 3"]);
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = Folder::empty();

    for wrong in [
        &["grnat", "list"][..],
        &["apply"],
        &["user", "list"],
        &["grant", "revoke", "not a grant id"],
        &["key", "rotate", "--issuer", "nobody"],
        &[
            "policy",
            "explain",
            "--organization",
            "acme",
            "--client",
            "desk-agent",
        ],
    ] {
        assert_eq!(folder.run(wrong).code(), 2, "{wrong:?}");
    }
}

#[test]
fn without_a_configuration_a_command_says_how_to_make_one() {
    Folder::empty()
        .run(&["key", "list"])
        .assert_refused(&["symbolon.toml", "symbolon init"]);
}

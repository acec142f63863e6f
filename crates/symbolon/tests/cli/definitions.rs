//! `apply`: the same manifests, the same definitions; nothing by halves.

use super::support::{Folder, MANIFEST};

#[test]
fn applying_twice_changes_nothing() {
    let folder = Folder::deployed();

    let again = folder.run(&["apply", "manifest.toml"]);

    again.assert_done();
    again.assert_says(&["Nothing changes."]);
}

#[test]
fn a_dangling_reference_is_located_and_nothing_is_applied() {
    let folder = Folder::initialized();
    let dangling = MANIFEST.replace("mcp_server = \"tracker\"", "mcp_server = \"wiki\"");
    folder.write("manifest.toml", &dangling);

    folder
        .run(&["apply", "manifest.toml"])
        .assert_refused(&["manifest.toml:21", "wiki"]);

    folder.write("manifest.toml", MANIFEST);
    folder
        .run(&["apply", "--dry-run", "manifest.toml"])
        .assert_says(&["put organization \"acme\""]);
}

#[test]
fn a_dry_run_writes_nothing() {
    let folder = Folder::initialized();
    folder.write("manifest.toml", MANIFEST);

    let dry = folder
        .run(&["--json", "apply", "--dry-run", "manifest.toml"])
        .json();

    let real = folder.run(&["--json", "apply", "manifest.toml"]).json();
    assert_eq!(dry["changes"], real["changes"]);
    assert_eq!(real["changes"].as_array().unwrap().len(), 4);
}

#[test]
fn prune_removes_what_is_gone_and_only_prune() {
    let folder = Folder::deployed();
    let without = &MANIFEST[..MANIFEST.find("[[assignment]]").unwrap()];
    folder.write("manifest.toml", without);

    folder
        .run(&["apply", "manifest.toml"])
        .assert_says(&["Nothing changes."]);
    let pruned = folder.run(&["apply", "--prune", "manifest.toml"]);

    pruned.assert_done();
    pruned.assert_says(&["remove assignment \"readers\" of acme"]);
}

#[test]
fn a_policy_that_does_not_compile_is_not_applied() {
    let folder = Folder::deployed();
    folder.write("broken.cedar", "permit (principal, action, resourc);");
    folder.write(
        "policy.toml",
        "[[policy]]\nid = \"broken\"\norganization = \"acme\"\nfile = \"broken.cedar\"\n",
    );

    folder
        .run(&["apply", "policy.toml"])
        .assert_refused(&["nothing was applied", "broken"]);
}

/// The blocks of the manual are what a reader would copy.
#[test]
fn the_example_of_the_manual_applies() {
    let manual = include_str!("../../../../docs/manifest.md");
    let example = &manual[manual.find("## A complete example").unwrap()..];
    let block = |language: &str| {
        let start = example.find(&format!("```{language}\n")).unwrap() + language.len() + 4;
        &example[start..start + example[start..].find("```").unwrap()]
    };
    let folder = Folder::initialized();
    folder.write("manifest.toml", block("toml"));
    folder.write("fresh-sign-in-to-write.cedar", block("cedar"));
    for secret in ["acme-oidc", "tracker", "desk-agent-as", "desk-agent-idp"] {
        folder.write(&format!("{secret}.secret"), "a-secret-of-at-least-128-bits");
    }

    folder.run(&["apply", "manifest.toml"]).assert_done();

    folder
        .run(&["apply", "manifest.toml"])
        .assert_says(&["Nothing changes."]);
}

#[test]
fn the_example_of_the_configuration_is_read() {
    let manual = include_str!("../../../../docs/configuration.md");
    let start = manual.find("```toml\n").unwrap() + 8;
    let end = start + manual[start..].find("```").unwrap();
    let folder = Folder::initialized();
    folder.write("symbolon.toml", &manual[start..end]);

    folder.run(&["key", "list"]).assert_says(&["No keys yet"]);
}

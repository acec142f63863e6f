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

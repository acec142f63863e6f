//! `audit`: what was done is in the trail, and a trail that was touched does not verify.

use rusqlite::Connection;

use super::support::Folder;

#[tokio::test]
async fn a_trail_verifies_until_a_row_is_changed() {
    let folder = Folder::deployed();
    folder.seal_audit().await;

    let intact = folder.run(&["audit", "verify"]);
    intact.assert_done();
    intact.assert_says(&["acme: intact", "the deployment: intact"]);

    let database = Connection::open(folder.path("symbolon.db")).unwrap();
    let sql = "UPDATE audit_event SET actor = 'operator/somebody-else'
               WHERE organization = 'acme' AND position = 2";
    assert_eq!(database.execute(sql, []).unwrap(), 1);
    drop(database);

    let touched = folder.run(&["audit", "verify"]);
    assert_eq!(touched.code(), 1);
    touched.assert_says(&[
        "acme: NOT INTACT",
        "position 2 was changed",
        "the deployment: intact",
    ]);
}

#[tokio::test]
async fn a_trail_whose_end_was_cut_off_does_not_verify() {
    let folder = Folder::deployed();
    folder.seal_audit().await;
    let database = Connection::open(folder.path("symbolon.db")).unwrap();
    database
        .execute(
            "DELETE FROM audit_event WHERE organization = 'acme' AND position >= 2",
            [],
        )
        .unwrap();
    drop(database);

    let cut = folder.run(&["--json", "audit", "verify", "--organization", "acme"]);

    assert_eq!(cut.code(), 1);
    assert_eq!(cut.json()["intact"], false);
}

#[test]
fn what_was_applied_is_listed_with_who_did_it() {
    let folder = Folder::deployed();

    let listed = folder
        .run(&["--json", "audit", "list", "--action", "definition.put"])
        .json();

    let events = listed["events"].as_array().unwrap();
    assert_eq!(events.len(), 4);
    assert!(
        events
            .iter()
            .all(|event| event["actor"] == "operator/operator"),
        "{events:?}"
    );
}

#[test]
fn a_list_is_no_longer_than_was_asked_for() {
    let folder = Folder::deployed();

    let listed = folder
        .run(&["--json", "audit", "list", "--limit", "2"])
        .json();

    assert_eq!(listed["events"].as_array().unwrap().len(), 2);
}

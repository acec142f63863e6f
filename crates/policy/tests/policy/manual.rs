//! The manual's examples are policies that load, and its assignment is shown as it is compiled.

use symbolon_protocol::time::Timestamp;

use crate::world::{World, clients, organization};

const MANUAL: &str = include_str!("../../../../docs/policy.md");

fn examples() -> impl Iterator<Item = &'static str> {
    MANUAL
        .split("```cedar\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
}

#[test]
fn every_example_of_the_manual_loads() {
    assert!(examples().count() >= 8);
    for example in examples() {
        let problems = World::acme().policy("example", example).problems();
        assert!(problems.is_empty(), "{problems:#?}\n{example}");
    }
}

#[test]
fn the_assignment_of_the_manual_is_shown_as_it_is_compiled() {
    let engine = World::acme()
        .assign(|assignment| {
            assignment.id = "engineering-tracker".to_owned();
            assignment.clients = Some(clients(&["desk-agent"]));
            assignment.until = Some(Timestamp::parse("2027-01-31T00:00:00Z").unwrap());
        })
        .engine();

    let compiled = engine.compiled(&organization("acme")).remove(0).cedar;

    assert_eq!(examples().next(), Some(compiled.as_str()));
}

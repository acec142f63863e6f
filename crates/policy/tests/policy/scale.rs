//! Ten thousand assignments do not slow a decision: it looks at the few that can matter.

use symbolon_policy::{Action, Who};

use crate::world::{Ask, On, World, group};

const MANY: usize = 10_000;

fn world(who: impl Fn(usize) -> Who) -> World {
    (0..MANY).fold(World::acme(), |world, number| {
        world.assign(|assignment| assignment.who = who(number))
    })
}

#[test]
fn ten_thousand_groups_are_one_lookup_for_each_membership() {
    let engine = world(|number| Who::Groups(vec![format!("g{number}")])).engine();
    let groups = (0..20).map(|number| group("acme-oidc", &format!("g{}", number * 500)));
    let ask = Ask::ada().with(|ask| ask.groups = Some(groups.collect()));

    let explanation = ask.explain(&engine, Action::CallTool, On::Tool("list_issues"));

    assert!(explanation.decision.is_allow());
    assert_eq!(explanation.policy_count, 3 * MANY);
    assert_eq!(explanation.policies.len(), 20);
}

#[test]
fn ten_thousand_people_are_one_lookup() {
    let engine = world(|number| match number % 2 {
        0 => Who::Users(vec![format!("p{number}@acme.example")]),
        _ => Who::Users(vec![
            format!("u{number}"),
            format!("p{number}@acme.example"),
        ]),
    })
    .engine();
    let ask = Ask::bob().with(|ask| ask.email = Some("p4711@acme.example".to_owned()));

    let explanation = ask.explain(&engine, Action::GrantAccess, On::Scope("issues:read"));

    assert!(explanation.decision.is_allow());
    assert_eq!(explanation.policies.len(), 1);
    let nobody = Ask::bob().explain(&engine, Action::GrantAccess, On::Scope("issues:read"));
    assert_eq!(nobody.policies.len(), 0);
}

#[test]
fn ten_thousand_servers_for_one_group_are_one_lookup() {
    let mut world = World::acme();
    for number in 0..MANY {
        world.server(
            &format!("s{number}"),
            Some("acme"),
            symbolon_policy::OfferInput::All,
        );
    }
    let world = (0..MANY).fold(world, |world, number| {
        world.assign(|assignment| {
            assignment.target = crate::world::on_server(&format!("s{number}"));
        })
    });
    let engine = world.engine();

    let on = On::ScopeOf("s4711", "issues:read");
    let explanation = Ask::ada().explain(&engine, Action::GrantAccess, on);

    assert!(explanation.decision.is_allow());
    assert_eq!(explanation.policies.len(), 1);
}

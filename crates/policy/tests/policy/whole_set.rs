//! The slice decides as the whole set would: compared with Cedar itself, which is given every
//! policy, every group and every circumstance, as JSON and checked against the schema.

use std::sync::LazyLock;
use std::time::Duration;

use cedar_policy::{
    Authorizer, Context, Decision as CedarDecision, Entities, EntityUid, PolicySet, Request, Schema,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use symbolon_policy::{Action, Decision, Engine, SCHEMA, Who};
use symbolon_protocol::issuer::IssuerRole;
use symbolon_protocol::time::Timestamp;

use crate::world::{Ask, On, World, clients, group, organization, texts};

const URL: &str = "https://id.example/mcp/tracker";

/// Scopes and conditions from which policies are put together.
const PRINCIPALS: [&str; 8] = [
    "principal",
    "principal is User",
    "principal is Client",
    "principal == User::\"u-ada\"",
    "principal in Group::\"acme-oidc/engineering\"",
    "principal in Group::\"acme-oidc/sales\"",
    "principal in EmailAddress::\"bob@acme.example\"",
    "principal is User in Organization::\"acme\"",
];
const ACTIONS: [&str; 4] = [
    "action",
    "action == Action::\"grant_access\"",
    "action in [Action::\"grant_access\", Action::\"issue_id_jag\"]",
    "action in [Action::\"call_tool\", Action::\"grant_access\"]",
];
const RESOURCES: [&str; 8] = [
    "resource",
    "resource is Scope",
    "resource is Scope in McpServer::\"tracker\"",
    "resource in McpServer::\"tracker\"",
    "resource in Organization::\"acme\"",
    "resource == Scope::\"tracker/issues:read\"",
    "resource == Scope::\"tracker/issues:write\"",
    "resource == Tool::\"tracker/list_issues\"",
];
const CONDITIONS: [&str; 15] = [
    "when { principal in [Group::\"acme-oidc/engineering\", Group::\"acme-oidc/sales\"] }",
    "when { principal in Group::\"acme-oidc/sales\" || principal == User::\"u-bob\" }",
    "unless { principal in Group::\"acme-oidc/sales\" }",
    "when { resource in [Scope::\"tracker/issues:read\", Scope::\"tracker/issues:admin\"] }",
    "when { principal in [User::\"u-ada\"] && resource in [Scope::\"tracker/issues:read\"] }",
    "when { principal in [User::\"u-ada\"] && context.amr.contains(\"otp\") }",
    "when { context has seconds_since_authentication && context.seconds_since_authentication < 60 }",
    "when { context has acr && context.acr == \"high\" }",
    "when { context has client && context.client == Client::\"as/desk-agent\" }",
    "when { context.scopes.contains(\"issues:write\") }",
    "unless { context.now < datetime(\"2026-11-20T19:00:00Z\") }",
    "unless { principal is User && principal has email && principal.email like \"a*\" }",
    // Fails where there is an age: before a test of the principal, and after it.
    "when { context has seconds_since_authentication \
     && context.seconds_since_authentication + 9223372036854775807 > 0 \
     && principal in [User::\"u-ada\"] }",
    "when { context has seconds_since_authentication \
     && context.seconds_since_authentication + 9223372036854775807 > 0 } \
     when { principal in [User::\"u-ada\"] }",
    "when { principal in [User::\"u-ada\"] } when { context has seconds_since_authentication \
     && context.seconds_since_authentication + 9223372036854775807 > 0 }",
];

fn any_policy() -> impl Strategy<Value = String> {
    (
        prop_oneof![3 => Just("permit"), 1 => Just("forbid")],
        prop::sample::select(&PRINCIPALS[..]),
        prop::sample::select(&ACTIONS[..]),
        prop::sample::select(&RESOURCES[..]),
        prop::collection::vec(prop::sample::select(&CONDITIONS[..]), 0..3),
    )
        .prop_map(|(effect, principal, action, resource, conditions)| {
            format!(
                "{effect} ({principal}, {action}, {resource}) {};",
                conditions.join(" ")
            )
        })
}

fn any_who() -> impl Strategy<Value = Who> {
    prop_oneof![
        Just(Who::Everyone),
        Just(Who::Groups(texts(&["engineering"]))),
        Just(Who::Groups(texts(&["sales", "acme-oidc/ops"]))),
        Just(Who::Users(texts(&["Ada@acme.example", "u-bob"]))),
        Just(Who::Users(texts(&["u-ada"]))),
        Just(Who::Services(clients(&["nightly-sync", "other-agent"]))),
    ]
}

fn any_world() -> impl Strategy<Value = World> {
    let assignment = (
        any_who(),
        prop::sample::subsequence(vec!["issues:read", "issues:write", "issues:admin"], 0..3),
        prop::option::of(Just(clients(&["desk-agent"]))),
        prop::option::of(Just(Timestamp::parse("2026-11-20T19:00:00Z").unwrap())),
    );
    let assignments = prop::collection::vec(assignment, 0..4);
    (assignments, prop::collection::vec(any_policy(), 0..5)).prop_map(|(assignments, policies)| {
        let world = assignments
            .into_iter()
            .fold(World::acme(), |world, assignment| {
                let (who, scopes, clients, until) = assignment;
                world.assign(|assignment| {
                    (assignment.who, assignment.scopes) = (who, texts(&scopes));
                    (assignment.clients, assignment.until) = (clients, until);
                })
            });
        // One that cannot apply (`is Client` in a group) is refused; leave it out.
        policies
            .iter()
            .enumerate()
            .fold(world, |world, (number, cedar)| {
                let id = format!("p{number}");
                match World::acme().policy(&id, cedar).problems().is_empty() {
                    true => world.policy(&id, cedar),
                    false => world,
                }
            })
    })
}

fn any_ask() -> impl Strategy<Value = Ask> {
    let groups =
        prop::sample::subsequence(vec!["engineering", "sales", "ops", "unmentioned"], 0..4);
    (
        prop_oneof![
            2 => Just(Ask::ada()),
            2 => Just(Ask::bob()),
            1 => Just(Ask::service("nightly-sync")),
        ],
        groups,
        prop::option::of(prop::sample::select(vec![0_u64, 59, 60, 5000])),
        prop::option::of(prop::sample::select(vec!["high", "low"])),
        prop::sample::select(vec!["desk-agent", "other-agent"]),
        prop::sample::select(vec!["2026-11-20T18:59:59.999999Z", "2026-11-20T19:00:00Z"]),
        prop::sample::select(vec!["", "issues:read", "issues:write issues:admin"]),
        prop::bool::ANY,
    )
        .prop_map(|(ask, groups, age, acr, client, now, scopes, has_otp)| {
            let ask = ask.through(IssuerRole::As, client).at(now).scopes(scopes);
            ask.with(|ask| {
                ask.groups = Some(
                    groups
                        .into_iter()
                        .map(|id| group("acme-oidc", id))
                        .collect(),
                );
                ask.signed_in_ago = age.map(Duration::from_secs);
                ask.acr = acr.map(str::to_owned);
                ask.amr = if has_otp {
                    vec!["otp".to_owned()]
                } else {
                    Vec::new()
                };
            })
        })
}

fn uid(kind: &str, id: &str) -> Value {
    json!({ "type": kind, "id": id })
}

fn principal(ask: &Ask) -> (Value, Vec<Value>, Value) {
    let acme = uid("Organization", "acme");
    if let Some(service) = &ask.service {
        return (
            uid("Client", &format!("as/{service}")),
            vec![acme],
            json!({}),
        );
    }
    let groups = ask.groups.iter().flatten();
    let groups = groups.map(|key| uid("Group", &format!("{}/{}", key.source, key.external_id)));
    let email = ask.email.clone().unwrap().to_ascii_lowercase();
    let parents = groups.chain([acme, uid("EmailAddress", &email)]).collect();
    (
        uid("User", ask.user.as_str()),
        parents,
        json!({ "email": email }),
    )
}

static CEDAR_SCHEMA: LazyLock<Schema> =
    LazyLock::new(|| Schema::from_cedarschema_str(SCHEMA).unwrap().0);

fn policies(engine: &Engine) -> PolicySet {
    let texts = engine
        .compiled(&organization("acme"))
        .into_iter()
        .map(|one| one.cedar);
    texts.collect::<Vec<_>>().join("\n").parse().unwrap()
}

/// Cedar's own answer.
fn whole(policies: &PolicySet, ask: &Ask, action: Action, on: On<'_>) -> bool {
    let (principal, parents, attributes) = principal(ask);
    let (resource, resource_attributes) = resource(on);
    let tracker = uid("McpServer", "tracker");
    let entities = json!([
        { "uid": principal, "attrs": attributes, "parents": parents },
        { "uid": resource, "attrs": resource_attributes, "parents": [tracker] },
        { "uid": tracker, "attrs": { "resource": URL }, "parents": [uid("Organization", "acme")] },
    ]);
    let action: EntityUid = format!("Action::\"{}\"", action.as_str()).parse().unwrap();
    let schema = &*CEDAR_SCHEMA;
    let context = Context::from_json_value(context(ask, on), Some((schema, &action))).unwrap();
    let uid = |value| EntityUid::from_json(value).unwrap();
    let (principal, resource) = (uid(principal), uid(resource));
    let request = Request::new(principal, action, resource, context, Some(schema)).unwrap();
    let entities = Entities::from_json_value(entities, Some(schema)).unwrap();
    let response = Authorizer::new().is_authorized(&request, policies, &entities);
    let has_failed = response.diagnostics().errors().next().is_some();
    response.decision() == CedarDecision::Allow && !has_failed
}

fn resource(on: On<'_>) -> (Value, Value) {
    let id = |name: &str| format!("tracker/{name}");
    match on {
        On::Scope(name) => (
            uid("Scope", &id(name)),
            json!({ "name": name, "resource": URL }),
        ),
        On::Tool(name) => {
            let scopes = json!([needed(name)]);
            (
                uid("Tool", &id(name)),
                json!({ "name": name, "scopes": scopes }),
            )
        }
        other => panic!("{other:?} is not asked about here"),
    }
}

fn needed(tool: &str) -> &'static str {
    if tool == "list_issues" {
        "issues:read"
    } else {
        "issues:write"
    }
}

fn context(ask: &Ask, on: On<'_>) -> Value {
    let (issuer, client) = ask.client.as_ref().unwrap();
    let now = Timestamp::from_unix_seconds(ask.now.unix_seconds()).to_string();
    let mut context = json!({
        "client": { "type": "Client", "id": format!("{issuer}/{client}") },
        "client_authentication": ask.client_authentication,
        "scopes": ask.scopes.iter().collect::<Vec<_>>(),
        "amr": ask.amr,
        "now": { "fn": "datetime", "arg": now },
    });
    if let Some(ago) = ask.signed_in_ago {
        context["seconds_since_authentication"] = json!(ago.as_secs());
    }
    if let Some(acr) = &ask.acr {
        context["acr"] = json!(acr);
    }
    if let On::Tool(name) = on {
        let implied = needed(name) == "issues:read" && ask.scopes.contains("issues:write");
        context["scopes_sufficient"] = json!(implied || ask.scopes.contains(needed(name)));
        context["arguments"] = json!({});
    }
    context
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_slice_decides_as_the_whole_set(world in any_world(), asks in prop::collection::vec(any_ask(), 6)) {
        let engine = world.engine();
        let policies = policies(&engine);
        let questions = [
            (Action::GrantAccess, On::Scope("issues:read")),
            (Action::GrantAccess, On::Scope("issues:write")),
            (Action::CallTool, On::Tool("list_issues")),
            (Action::CallTool, On::Tool("close_issue")),
        ];
        for (ask, (action, on)) in asks.iter().flat_map(|ask| questions.map(|one| (ask, one))) {
            let decision = ask.decide(&engine, action, on);
            let expected = whole(&policies, ask, action, on);
            prop_assert_eq!(decision.is_allow(), expected, "{:?} for {:?} {:?}", decision, on, ask);
        }
    }

    #[test]
    fn a_forbid_wins_whatever_else_there_is(world in any_world(), ask in any_ask()) {
        let engine = world
            .policy("no", "forbid (principal, action, resource in McpServer::\"tracker\");")
            .engine();
        let decision = ask.decide(&engine, Action::GrantAccess, On::Scope("issues:read"));
        prop_assert!(matches!(decision, Decision::Deny { .. }), "{:?}", decision);
    }

    #[test]
    fn unknown_groups_never_allow_what_known_groups_would_not(
        world in any_world(),
        ask in any_ask(),
        groups in prop::sample::subsequence(vec!["engineering", "sales", "ops"], 0..4),
    ) {
        let engine = world.engine();
        let unknown = ask.clone().with(|ask| ask.groups = None);
        let groups = groups.into_iter().map(|id| group("acme-oidc", id)).collect();
        let known = ask.with(|ask| ask.groups = Some(groups));
        if unknown.may(&engine, Action::GrantAccess, On::Scope("issues:read")) {
            prop_assert!(known.may(&engine, Action::GrantAccess, On::Scope("issues:read")));
        }
    }
}

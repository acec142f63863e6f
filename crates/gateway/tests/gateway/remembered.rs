//! What is remembered of tokens and people, and what ends it (design §4 rules 13 and 17).

use std::sync::Arc;

use symbolon_gateway::GatewayKeys;
use symbolon_protocol::jose::Algorithm;
use symbolon_storage::audit::By;
use symbolon_storage::signing_key::{self, KeyPurpose, KeyUse, Rotation};

use crate::builder::world;
use crate::request::call;
use crate::world::{NOW, World, stored_keys};

async fn status(world: &World, token: &str) -> u16 {
    world
        .post(token, &call("list_issues"))
        .await
        .status
        .as_u16()
}

#[tokio::test]
async fn a_token_is_remembered_and_needs_neither_keys_nor_database() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    assert_eq!(status(&world, &token).await, 200);

    // Version 1 as before, but without keys: only a token that is not verified again can pass.
    world.keys.store(Arc::new(GatewayKeys::new(1, vec![])));
    world.store.close().await;
    assert_eq!(status(&world, &token).await, 200);
}

#[tokio::test]
async fn without_memory_every_token_is_verified() {
    let world = world()
        .limits(|limits| limits.remembered_tokens = 0)
        .start()
        .await;
    let token = world.token("issues:read").await;
    assert_eq!(status(&world, &token).await, 200);
    world.keys.store(Arc::new(GatewayKeys::new(1, vec![])));
    assert_eq!(status(&world, &token).await, 401);
}

#[tokio::test]
async fn other_keys_end_what_was_verified_with_the_old_ones() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    assert_eq!(status(&world, &token).await, 200);
    world.keys.store(Arc::new(GatewayKeys::new(2, vec![])));
    assert_eq!(status(&world, &token).await, 401);
}

#[tokio::test]
async fn a_rotation_keeps_tokens_of_the_old_key() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let (role, algorithm) = ("as".to_owned(), Algorithm::Es256);
    let usage = KeyUse {
        role,
        purpose: KeyPurpose::Token,
        algorithm,
    };
    let rotation = Rotation {
        ahead: std::time::Duration::from_secs(60),
        kept: std::time::Duration::from_secs(3600),
    };
    signing_key::rotate(&world.store, usage, rotation, By::system(), NOW)
        .await
        .unwrap();
    world.keys.store(Arc::new(GatewayKeys::new(
        2,
        stored_keys(&world.store).await,
    )));
    assert_eq!(status(&world, &token).await, 200);
}

/// N-195: the keys of an `idp` are not those of the `as`.
#[tokio::test]
async fn only_the_keys_that_sign_access_tokens_verify_them() {
    let world = world().start().await;
    let token = world.token("issues:read").await;
    let mut keys = stored_keys(&world.store).await;
    for key in &mut keys {
        key.usage.purpose = match key.usage.purpose {
            KeyPurpose::Token => KeyPurpose::IdToken,
            _ => KeyPurpose::Token,
        };
    }
    world.keys.store(Arc::new(GatewayKeys::new(2, keys)));
    assert_eq!(status(&world, &token).await, 401);
}

#[tokio::test]
async fn a_client_that_acts_for_itself_is_decided_as_a_client() {
    let policy = r#"
        permit (principal == Client::"as/desk", action == Action::"call_tool",
                resource == Tool::"tracker/list_issues");
    "#;
    let world = world().policy(policy).start().await;
    let token = world
        .token_with("issues:read", |claims| claims.sub = "desk".to_owned())
        .await;
    assert_eq!(status(&world, &token).await, 200);
    let other = world
        .token_with("issues:write", |claims| claims.sub = "desk".to_owned())
        .await;
    assert_eq!(world.post(&other, &call("close_issue")).await.status, 403);
    let (_, _, details) = world.calls().await.remove(0);
    assert_eq!(
        (details.get("user"), &details["client"]),
        (None, &"desk".into())
    );
}

//! Building a world: an organization with its people, two servers, and a gateway in front.

use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::{Value, json};
use symbolon_gateway::{Gateway, GatewayKeys, GatewayParts, Limits, routes};
use symbolon_net::{HttpClient, IssuerKeys, NetConfig, TestClock};
use symbolon_protocol::issuer::Issuer;
use symbolon_protocol::jose::Algorithm;
use symbolon_protocol::secret::SecretBytes;
use symbolon_storage::audit::{By, Journal};
use symbolon_storage::definition::{self, Change, Draft, Kind, Secrets};
use symbolon_storage::follow::Follower;
use symbolon_storage::signing_key::{self, KeyPurpose, KeyUse};
use symbolon_storage::{
    Directory, KeyEncryptionKey, OpenOptions, RevocationIndex, Sealer, StorageError, Store,
};
use url::Url;

use crate::upstream::Upstream;
use crate::world::{ISSUER, NOW, PUBLIC_URL, World, person, stored_keys};

/// What a test may ask for before the world is made.
pub(crate) struct Builder {
    pub(crate) limits: Limits,
    pub(crate) journal: usize,
    pub(crate) public_url: &'static str,
    pub(crate) tracker: Value,
    pub(crate) credential: Option<&'static str>,
    pub(crate) foreign_keys: Option<Value>,
    pub(crate) policies: Vec<&'static str>,
}

pub(crate) fn world() -> Builder {
    Builder {
        limits: Limits::default(),
        journal: 100,
        public_url: PUBLIC_URL,
        tracker: json!({}),
        credential: None,
        foreign_keys: None,
        policies: Vec::new(),
    }
}

impl Builder {
    pub(crate) fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    /// A journal that holds so few events that it is full at once.
    pub(crate) fn tiny_journal(mut self) -> Self {
        self.journal = 1;
        self
    }

    pub(crate) fn public_url(mut self, url: &'static str) -> Self {
        self.public_url = url;
        self
    }

    /// Adds members to the definition of the server.
    pub(crate) fn tracker(mut self, members: Value) -> Self {
        self.tracker = members;
        self
    }

    pub(crate) fn credential(mut self, secret: &'static str) -> Self {
        self.credential = Some(secret);
        self
    }

    /// Names `https://login.acme.example`, with these keys, as an access token issuer.
    pub(crate) fn foreign_issuer(mut self, jwks: Value) -> Self {
        self.foreign_keys = Some(jwks);
        self
    }

    /// Adds free Cedar of the organization.
    pub(crate) fn policy(mut self, cedar: &'static str) -> Self {
        self.policies.push(cedar);
        self
    }

    pub(crate) async fn start(self) -> World {
        let upstream = Upstream::start().await;
        let clock = TestClock::at(NOW);
        let store = store().await;
        let directory = define(&store, self.definitions(&upstream)).await;
        let ada = person(&store, "ada@acme.example", &["engineering"]).await;
        let revocations = Arc::new(RevocationIndex::default());
        let follower = Follower::start(store.clone(), revocations.clone(), NOW)
            .await
            .unwrap();
        let net = NetConfig {
            allow: vec!["127.0.0.0/8".parse().unwrap()],
            ..NetConfig::default()
        };
        let http = HttpClient::new(net).unwrap();
        let keys = Arc::new(ArcSwap::from_pointee(keys(&store).await));
        let journal = Journal::start(store.clone(), self.journal);
        let gateway = Gateway::new(GatewayParts {
            public_url: Url::parse(self.public_url).unwrap(),
            issuer: Issuer::parse(ISSUER).unwrap(),
            store: store.clone(),
            directory: Arc::new(ArcSwap::from_pointee(directory)),
            engine: Arc::new(ArcSwap::from_pointee(self.engine())),
            keys: keys.clone(),
            revocations,
            journal: journal.clone(),
            issuer_keys: Arc::new(IssuerKeys::new(http.clone(), clock.clone())),
            http,
            clock: clock.clone(),
            session_secret: SecretBytes::new([7; 32]),
            limits: self.limits,
        });
        let gateway = gateway.unwrap();
        let router = routes(gateway.clone());
        World {
            upstream,
            clock,
            store,
            ada,
            gateway,
            follower,
            keys,
            router,
            journal,
        }
    }
}

async fn store() -> Store {
    let sealer = Sealer::new(&KeyEncryptionKey::generate());
    let options = OpenOptions {
        migrate: true,
        create: true,
    };
    Store::open("sqlite::memory:", sealer, options)
        .await
        .unwrap()
}

async fn define(store: &Store, definitions: Vec<(Kind, Value, Secrets)>) -> Directory {
    let drafts = definitions
        .into_iter()
        .map(|(kind, document, secrets)| Change::Put(Draft::new(kind, document, secrets).unwrap()));
    let changes: Vec<Change> = drafts.collect();
    let applied = store.write(move |tx| {
        Box::pin(async move { definition::apply(tx, changes, &By::system(), NOW).await })
    });
    applied.await.unwrap();
    let (directory, problems) = store
        .read::<_, StorageError, _>(|c| Box::pin(async move { Directory::load(c).await }))
        .await
        .unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    directory
}

async fn keys(store: &Store) -> GatewayKeys {
    for purpose in [KeyPurpose::Token, KeyPurpose::IdentityHeader] {
        let usage = KeyUse {
            role: "as".to_owned(),
            purpose,
            algorithm: Algorithm::Es256,
        };
        signing_key::ensure(store, usage, By::system(), NOW)
            .await
            .unwrap();
    }
    GatewayKeys::new(1, stored_keys(store).await)
}

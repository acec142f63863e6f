//! A folder with a configuration, a key and a manifest, and the product that is started from it.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};

use symbolon::config::{Config, Environment};
use symbolon::demo::identity_provider::{self, Client, Person, Settings};
use symbolon::demo::walk::Http;
use symbolon::manifest::Manifest;
use symbolon::serve;
use symbolon_net::{Clock, TestClock};
use symbolon_protocol::ids::ClientId;
use symbolon_protocol::random;
use symbolon_protocol::redirect_uri::RegisteredRedirectUri;
use symbolon_protocol::secret::Secret;
use symbolon_protocol::time::Timestamp;
use symbolon_storage::audit::By;
use symbolon_storage::definition::{self, Definition, Prune};
use symbolon_storage::{KeyEncryptionKey, OpenOptions, Sealer, Store};
use symbolon_testkit::KeyServer;

use super::{CALLBACK, Product, Signers, gus};

/// Every secret of the manifest, each a file of its own.
const SECRETS: [&str; 15] = [
    "connection",
    "desk",
    "rival",
    "poster",
    "narrow",
    "careful",
    "files-server",
    "tracker-server",
    "globex-desk",
    "globex-server",
    "roamer",
    "idp-desk",
    "idp-rival",
    "idp-unmapped",
    "globex-idp-desk",
];

/// An address of loopback that nobody listens on.
///
/// The port is drawn from below those that the system gives out by itself: between the moment it is
/// found free and the moment it is used, hardly anybody can take it. No port is given twice.
pub fn free_address() -> SocketAddr {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let port = 10_000 + u16::from_be_bytes(random::bytes()) % 20_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let is_new = GIVEN.lock().expect("nobody panics with it").insert(port);
        if is_new && TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

pub(super) async fn start(storage_url: Option<&str>, manifest: &str) -> Product {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let start = Timestamp::parse("2026-11-20T12:00:00Z").expect("a time");
    let clock = TestClock::at(start);
    let address = free_address();
    let public_url = format!("http://{address}");
    let secrets: HashMap<String, String> = SECRETS
        .iter()
        .map(|name| ((*name).to_owned(), random::token().expose().to_owned()))
        .collect();
    let acme = people(
        &public_url,
        &secrets,
        vec![Person::ada(), Person::bob()],
        &clock,
    )
    .await;
    let globex = people(&public_url, &secrets, vec![gus()], &clock).await;
    let signers = Signers::generate();
    let key_server = KeyServer::start(signers.remote.jwks()).await;
    let folder = directory.path();
    write_files(folder, address, storage_url, &secrets, &signers);
    let text = format!("{}\n{manifest}", include_str!("manifest.toml"))
        .replace("{public_url}", &public_url)
        .replace("{acme_people}", &acme.url(""))
        .replace("{globex_people}", &globex.url(""))
        .replace("{key_server}", &key_server.url())
        .replace("{callback}", CALLBACK);
    write(folder, "manifest.toml", &text);
    let config = config(folder);
    apply(&config, folder, clock.now()).await;
    let running = serve::start_at(&config, &Environment::default(), clock.clone()).await;
    Product {
        clock,
        signers,
        key_server,
        http: Http::loopback().expect("a client"),
        running: running.expect("the product starts"),
        directory,
        secrets,
        _people: [acme, globex],
    }
}

pub(super) async fn another_node(product: &Product) -> serve::Running {
    let mut config = config(product.directory.path());
    config.listen.address = free_address();
    config.listen.internal = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let running = serve::start_at(&config, &Environment::default(), product.clock.clone()).await;
    running.expect("a second node starts")
}

fn config(folder: &Path) -> Config {
    Config::load(&folder.join("symbolon.toml"), &Environment::default()).expect("a configuration")
}

async fn people(
    public_url: &str,
    secrets: &HashMap<String, String>,
    people: Vec<Person>,
    clock: &Arc<TestClock>,
) -> symbolon::demo::Running {
    let callback = format!("{public_url}/sso/oidc/callback");
    let client = Client {
        id: ClientId::parse("symbolon").expect("a client id"),
        secret: Secret::new(secrets["connection"].clone()),
        redirect_uris: vec![RegisteredRedirectUri::parse(&callback).expect("a redirect URI")],
        post_logout_redirect_uris: Vec::new(),
    };
    let settings = Settings {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        clients: vec![client],
        people,
        clock: clock.clone(),
    };
    identity_provider::start(settings)
        .await
        .expect("an identity provider")
}

fn write_files(
    folder: &Path,
    address: SocketAddr,
    storage_url: Option<&str>,
    secrets: &HashMap<String, String>,
    signers: &Signers,
) {
    let internal = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let storage = storage_url.unwrap_or("sqlite://symbolon.db");
    let configuration = format!(
        "public_url = \"http://{address}\"\n\
         [listen]\naddress = \"{address}\"\ninternal = \"{internal}\"\n\
         [storage]\nurl = \"{storage}\"\n\
         [net]\nallow = [\"127.0.0.0/8\"]\n"
    );
    write(folder, "symbolon.toml", &configuration);
    write(
        folder,
        "symbolon.kek",
        &KeyEncryptionKey::generate().to_text(),
    );
    for (name, secret) in secrets {
        write(folder, &format!("{name}.secret"), secret);
    }
    let keys = [
        ("vendor", &signers.vendor),
        ("other", &signers.other),
        ("shared", &signers.shared),
        ("globex", &signers.globex),
        ("notary", &signers.notary),
    ];
    for (name, signer) in keys {
        write(folder, &format!("{name}.jwks"), &signer.jwks().to_string());
    }
    write(folder, "fresh.cedar", include_str!("fresh.cedar"));
    write(folder, "strong.cedar", include_str!("strong.cedar"));
    write(folder, "closed.cedar", include_str!("closed.cedar"));
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("the folder can be written");
}

/// What `symbolon apply` does.
async fn apply(config: &Config, folder: &Path, now: Timestamp) {
    let environment = Environment::default();
    let manifest = Manifest::read(&[folder.join("manifest.toml")], &environment);
    let manifest = manifest.expect("the manifest can be read");
    let key = config
        .secrets
        .key_encryption_key
        .read(&config.directory, &environment);
    let key = KeyEncryptionKey::from_base64(key.expect("the key file").expose());
    let sealer = Sealer::new(&key.expect("a key"));
    let options = OpenOptions {
        migrate: true,
        create: true,
    };
    let store = Store::open(&config.storage_url(), sealer, options)
        .await
        .expect("a database");
    let existing = store
        .read(|c| Box::pin(definition::list_all(c)))
        .await
        .expect("definitions");
    let wanted = manifest.drafts.iter().cloned();
    let wanted: Vec<_> = wanted
        .map(|draft| Definition::from_draft(draft, 0, now, ""))
        .collect();
    manifest.check(&wanted).expect("the manifest fits together");
    let changes = definition::difference(&existing, manifest.drafts, Prune::Nothing);
    let write = store.write(move |tx| {
        Box::pin(async move { definition::apply(tx, changes, &By::system(), now).await })
    });
    write.await.expect("the manifest is applied");
    store.close().await;
}

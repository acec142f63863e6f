//! The circumstances of a request as Cedar sees them: only what the slice reads is built.

use cedar_policy::{Context as CedarContext, RestrictedExpression};

use symbolon_protocol::time::Timestamp;

use crate::arguments::Arguments;
use crate::entity;
use crate::reads::Reads;
use crate::request::{Request, Resource};
use crate::resource::Offered;

/// What a policy may read about the sign-in, real or imagined.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SignInFacts<'a> {
    pub(crate) acr: Option<&'a str>,
    /// Seconds since it.
    pub(crate) age: Option<u64>,
}

impl<'a> SignInFacts<'a> {
    pub(crate) fn of(request: &Request<'a>) -> Self {
        let age = request
            .context
            .auth_time
            .map(|time| request.now.since(time).as_secs());
        Self {
            acr: request.context.acr,
            age,
        }
    }
}

/// Builds the attributes in `reads`; the rest could not be seen anyway.
///
/// # Errors
/// What Cedar has against a value; the request must be denied.
pub(crate) fn build(
    request: &Request<'_>,
    resource: &Offered<'_>,
    sign_in: SignInFacts<'_>,
    arguments: &Arguments,
    reads: Reads,
) -> Result<CedarContext, String> {
    let mut attributes = Attributes {
        reads,
        pairs: Vec::new(),
    };
    attributes.circumstances(request, resource);
    attributes.sign_in(sign_in);
    attributes.add(Reads::ARGUMENTS, "arguments", || arguments.record());
    CedarContext::from_pairs(attributes.pairs).map_err(|error| error.to_string())
}

struct Attributes {
    reads: Reads,
    pairs: Vec<(String, RestrictedExpression)>,
}

impl Attributes {
    fn circumstances(&mut self, request: &Request<'_>, resource: &Offered<'_>) {
        let given = &request.context;
        self.add(Reads::CLIENT, "client", || {
            let client = given.client.map(|(issuer, id)| entity::client(issuer, id));
            client.map(RestrictedExpression::new_entity_uid)
        });
        self.add(
            Reads::CLIENT_AUTHENTICATION,
            "client_authentication",
            || given.client_authentication.map(text),
        );
        self.add(Reads::SCOPES, "scopes", || Some(texts(given.scopes.iter())));
        self.add(Reads::SCOPES_SUFFICIENT, "scopes_sufficient", || {
            let (server, tool) = resource.tool()?;
            Some(RestrictedExpression::new_bool(
                server.is_sufficient(given.scopes, tool),
            ))
        });
        self.add(Reads::NAME, "name", || match request.resource {
            Resource::Server { name, .. } => Some(text(name)),
            Resource::Scope { .. } | Resource::Tool { .. } => None,
        });
        self.add(Reads::AMR, "amr", || {
            Some(texts(given.amr.iter().map(String::as_str)))
        });
        self.add(Reads::SOURCE_ADDRESS, "source_address", || {
            given
                .source_address
                .map(|address| RestrictedExpression::new_ip(address.to_string()))
        });
        self.add(Reads::SENDER_CONSTRAINT, "sender_constraint", || {
            given.sender_constraint.map(text)
        });
        self.add(Reads::NOW, "now", || {
            // Whole seconds: Cedar reads no more than three digits behind them.
            let now = Timestamp::from_unix_seconds(request.now.unix_seconds());
            Some(RestrictedExpression::new_datetime(now.to_string()))
        });
    }

    fn sign_in(&mut self, sign_in: SignInFacts<'_>) {
        self.add(Reads::ACR, "acr", || sign_in.acr.map(text));
        self.add(Reads::AGE, "seconds_since_authentication", || {
            let age = i64::try_from(sign_in.age?).unwrap_or(i64::MAX);
            Some(RestrictedExpression::new_long(age))
        });
    }

    fn add(
        &mut self,
        read: Reads,
        name: &str,
        value: impl FnOnce() -> Option<RestrictedExpression>,
    ) {
        if self.reads.intersects(read) {
            self.pairs
                .extend(value().map(|value| (name.to_owned(), value)));
        }
    }
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> RestrictedExpression {
    RestrictedExpression::new_set(texts.map(text))
}

//! The principal of a request as Cedar sees it.

use std::collections::HashMap;

use cedar_policy::{Entity, EntityUid, RestrictedExpression};
use symbolon_protocol::issuer::IssuerRole;

use crate::entity::{self, Kind};
use crate::offer::Offers;
use crate::request::{Groups, Principal, Request};
use crate::slice::{Index, KeyRing};

/// Who asks, with everything that any policy of the organization could tell apart.
pub(crate) struct Asker<'a> {
    /// The entity, then everything it is in. Groups and addresses that no policy mentions are left
    /// out: they could not change a decision.
    pub(crate) path: Vec<EntityUid>,
    pub(crate) keys: KeyRing,
    pub(crate) email: Option<&'a str>,
    pub(crate) has_unknown_groups: bool,
}

impl<'a> Asker<'a> {
    pub(crate) fn new(request: &Request<'a>, offers: &Offers, index: &Index) -> Self {
        match request.principal {
            Principal::User { id, email, groups } => {
                let mut path = vec![entity::user(id), entity::organization(request.organization)];
                path.extend(email.and_then(|email| mentioned_address(index, email)));
                let known = match groups {
                    Groups::Known(keys) => keys,
                    Groups::Unknown => &[],
                };
                path.extend(
                    known
                        .iter()
                        .map(entity::group)
                        .filter(|uid| index.mentions(Kind::Group, uid.id().unescaped())),
                );
                let keys = index.keys(Kind::User, &path);
                let has_unknown_groups = matches!(groups, Groups::Unknown);
                Self {
                    path,
                    keys,
                    email,
                    has_unknown_groups,
                }
            }
            Principal::Client { id } => {
                let mut path = vec![entity::client(&IssuerRole::As, id)];
                let owner = offers
                    .client(request.organization, &IssuerRole::As, id)
                    .flatten();
                path.extend(owner.map(entity::organization));
                let keys = index.keys(Kind::Client, &path);
                Self {
                    path,
                    keys,
                    email: None,
                    has_unknown_groups: false,
                }
            }
        }
    }

    pub(crate) fn uid(&self) -> &EntityUid {
        &self.path[0]
    }

    pub(crate) fn entity(&self) -> Result<Entity, String> {
        let email = self.email.map(|email| {
            let email = RestrictedExpression::new_string(email.to_ascii_lowercase());
            ("email".to_owned(), email)
        });
        let attributes: HashMap<_, _> = email.into_iter().collect();
        let ancestors = self.path[1..].iter().cloned().collect();
        Entity::new(self.uid().clone(), attributes, ancestors).map_err(|error| error.to_string())
    }
}

fn mentioned_address(index: &Index, email: &str) -> Option<EntityUid> {
    let uid = entity::email_address(email);
    index
        .mentions(Kind::EmailAddress, uid.id().unescaped())
        .then_some(uid)
}

//! Revocation: what was issued to a grant, user, client, session or organization ends.

/// What a revocation names.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SubjectKind {
    /// A grant: one client's access to one server.
    Grant,
    /// A user, everywhere.
    User,
    /// A client of one of our authorization servers.
    Client,
    /// A browser session and what came out of it.
    Session,
    /// Everybody of an organization.
    Organization,
}

impl SubjectKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Grant,
        Self::User,
        Self::Client,
        Self::Session,
        Self::Organization,
    ];
}

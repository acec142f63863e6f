//! The people of the demonstration.

/// Somebody who can sign in at a development identity provider.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Person {
    /// What the sign-in form sends.
    pub id: String,
    /// The `sub` claim: stable, opaque, unlike the email address.
    pub subject: String,
    /// The `name` claim.
    pub name: String,
    /// The `email` claim, always verified.
    pub email: String,
    /// The `groups` claim.
    pub groups: Vec<String>,
}

impl Person {
    /// Ada, who is in engineering.
    #[must_use]
    pub fn ada() -> Self {
        Self::new("ada", "Ada Lovelace", "engineering")
    }

    /// Bob, who is in sales.
    #[must_use]
    pub fn bob() -> Self {
        Self::new("bob", "Bob Kahn", "sales")
    }

    fn new(id: &str, name: &str, group: &str) -> Self {
        Self {
            id: id.to_owned(),
            subject: format!("development-{id}"),
            name: name.to_owned(),
            email: format!("{id}@acme.example"),
            groups: vec![group.to_owned(), "everyone".to_owned()],
        }
    }
}

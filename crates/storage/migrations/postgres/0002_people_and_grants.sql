-- People, what they let clients do, and what was handed out for it.
-- Types: TEXT, BIGINT (times are microseconds since 1970 UTC), BYTEA, BOOLEAN.
-- The same tables and columns exist in sqlite/0002_people_and_grants.sql; statements are shared.
-- A table is in the plural where SQL reserves the singular. A column "key" is a SHA-256 over what
-- identifies the row: clients, resources and subjects may be longer than an index entry.

-- A person of one organization. email_key is the address in lower case, for looking it up.
CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    email TEXT,
    email_key TEXT,
    name TEXT,
    state TEXT NOT NULL CHECK (state IN ('active', 'disabled')),
    created_at BIGINT NOT NULL
);
CREATE INDEX users_by_organization ON users (organization, created_at, id);
CREATE INDEX users_by_email ON users (organization, email_key) WHERE email_key IS NOT NULL;

-- Who that is at a connection's identity provider. Tenant '' where the issuer has only one.
CREATE TABLE linked_identity (
    key BYTEA NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    connection TEXT NOT NULL,
    tenant TEXT NOT NULL,
    subject TEXT NOT NULL,
    linked_at BIGINT NOT NULL
);
CREATE INDEX linked_identity_by_user ON linked_identity (user_id);

-- External subjects whose person was deleted, as keyed hashes.
CREATE TABLE identity_tombstone (
    hash BYTEA NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    connection TEXT NOT NULL,
    buried_at BIGINT NOT NULL
);

-- What one source said about one person's groups: a JSON array of its identifiers.
CREATE TABLE group_report (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    organization TEXT NOT NULL,
    groups TEXT NOT NULL,
    learned_at BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (user_id, source)
);
CREATE INDEX group_report_by_expiry ON group_report (expires_at);

-- Browser sessions at one of our authorization servers.
CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    token_hash BYTEA NOT NULL UNIQUE,
    role TEXT NOT NULL,
    organization TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    connection TEXT NOT NULL,
    upstream_sid TEXT,
    auth_time BIGINT,
    acr TEXT,
    amr TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_by_expiry ON session (expires_at);

-- What a person agreed to on the consent page.
CREATE TABLE consent (
    key BYTEA NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    client_id TEXT NOT NULL,
    resource TEXT NOT NULL,
    scopes TEXT NOT NULL,
    given_at BIGINT NOT NULL
);
CREATE INDEX consent_by_user ON consent (user_id);

-- What tokens belong to. No user: the client acts for itself.
CREATE TABLE grants (
    id TEXT NOT NULL PRIMARY KEY,
    key BYTEA NOT NULL,
    role TEXT NOT NULL,
    organization TEXT NOT NULL,
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    resource TEXT NOT NULL,
    origin TEXT NOT NULL,
    scopes TEXT NOT NULL,
    session_id TEXT,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE UNIQUE INDEX grants_live ON grants (key) WHERE revoked_at IS NULL;
CREATE INDEX grants_by_user ON grants (user_id);
CREATE INDEX grants_by_client ON grants (client_id);
CREATE INDEX grants_by_organization ON grants (organization, created_at, id);
CREATE INDEX grants_revoked ON grants (revoked_at) WHERE revoked_at IS NOT NULL;

-- Authorization codes, by their SHA-256; kept a while after use so that a second use is noticed.
CREATE TABLE authorization_code (
    hash BYTEA NOT NULL PRIMARY KEY,
    role TEXT NOT NULL,
    organization TEXT NOT NULL,
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    challenge TEXT NOT NULL,
    resource TEXT,
    scopes TEXT NOT NULL,
    nonce TEXT,
    user_id TEXT NOT NULL,
    session_id TEXT,
    grant_id TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    auth_time BIGINT,
    acr TEXT,
    amr TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    redeemed_at BIGINT
);
CREATE INDEX authorization_code_by_grant ON authorization_code (grant_id);
CREATE INDEX authorization_code_by_expiry ON authorization_code (expires_at);

-- A refresh token and its successors. Their texts follow from id and counter; nothing is stored.
CREATE TABLE refresh_family (
    id TEXT NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    organization TEXT NOT NULL,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    session_id TEXT,
    resource TEXT,
    scopes TEXT NOT NULL,
    auth_time BIGINT,
    acr TEXT,
    amr TEXT NOT NULL,
    counter BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    idle_expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX refresh_family_by_grant ON refresh_family (grant_id);
CREATE INDEX refresh_family_by_session ON refresh_family (session_id);
CREATE INDEX refresh_family_by_expiry ON refresh_family (idle_expires_at);

-- What may be used once: assertions, sign-in states. Key over kind, scope and value.
CREATE TABLE single_use (
    key BYTEA NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX single_use_by_expiry ON single_use (expires_at);

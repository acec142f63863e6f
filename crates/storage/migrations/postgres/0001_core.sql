-- The deployment itself: what an administrator defined, keys, news and the audit trail.
-- Types: TEXT, BIGINT (times are microseconds since 1970 UTC), BYTEA, BOOLEAN.
-- The same tables and columns exist in sqlite/0001_core.sql; statements are shared.

-- One row: which database this is, and whether the key-encryption key is the right one.
CREATE TABLE instance (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    kek_check BYTEA NOT NULL
);

-- One row: the version of all definitions together; locked by whoever changes one.
CREATE TABLE definition_head (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    version BIGINT NOT NULL
);
INSERT INTO definition_head (one, version) VALUES (1, 0);

-- What an administrator defined. Owner '' is the deployment, anything else an organization.
CREATE TABLE definition (
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    document TEXT NOT NULL,
    sealed BYTEA,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (kind, owner, id)
);

-- Every version of every definition; a deletion has no document. Secrets are not kept.
CREATE TABLE definition_version (
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    document TEXT,
    at BIGINT NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (kind, owner, id, version)
);

-- Keys that sign, per authorization server ('as', 'idp/acme') and purpose.
CREATE TABLE signing_key (
    kid TEXT NOT NULL PRIMARY KEY,
    role TEXT NOT NULL,
    purpose TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    public_jwk TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    active_from BIGINT NOT NULL,
    retired_at BIGINT,
    forget_after BIGINT
);
CREATE INDEX signing_key_by_role ON signing_key (role, purpose);

-- Symmetric secrets of the deployment.
CREATE TABLE secret_key (
    purpose TEXT NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

-- What nodes must hear of, numbered in commit order by way of the one row of news_head.
CREATE TABLE news_head (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    seq BIGINT NOT NULL
);
INSERT INTO news_head (one, seq) VALUES (1, 0);

CREATE TABLE news (
    seq BIGINT NOT NULL PRIMARY KEY,
    topic TEXT NOT NULL,
    subject TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX news_by_time ON news (at);

-- Audit events. Organization '' is the deployment. Position and hash are null until chained.
CREATE TABLE audit_event (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    request_id TEXT NOT NULL,
    details TEXT NOT NULL,
    position BIGINT,
    hash BYTEA
);
CREATE INDEX audit_event_unchained ON audit_event (organization, seq) WHERE position IS NULL;
CREATE UNIQUE INDEX audit_event_chained ON audit_event (organization, position)
    WHERE position IS NOT NULL;

-- The end of each organization's chain.
CREATE TABLE audit_chain (
    organization TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    hash BYTEA NOT NULL
);

-- Signed statements "the chain of this organization had this hash at this position".
CREATE TABLE audit_checkpoint (
    organization TEXT NOT NULL,
    position BIGINT NOT NULL,
    at BIGINT NOT NULL,
    statement TEXT NOT NULL,
    PRIMARY KEY (organization, position)
);

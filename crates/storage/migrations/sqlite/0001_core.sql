-- The deployment itself: what an administrator defined, keys, news and the audit trail.
-- Types: TEXT, INTEGER (64 bit; times are microseconds since 1970 UTC; booleans are 0 and 1), BLOB.
-- The same tables and columns exist in postgres/0001_core.sql; statements are shared.

-- One row: which database this is, and whether the key-encryption key is the right one.
CREATE TABLE instance (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    kek_check BLOB NOT NULL
) STRICT;

-- One row: the version of all definitions together; locked by whoever changes one.
CREATE TABLE definition_head (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO definition_head (one, version) VALUES (1, 0);

-- What an administrator defined. Owner '' is the deployment, anything else an organization.
CREATE TABLE definition (
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    document TEXT NOT NULL,
    sealed BLOB,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (kind, owner, id)
) STRICT;

-- Every version of every definition; a deletion has no document. Secrets are not kept.
CREATE TABLE definition_version (
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    document TEXT,
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    PRIMARY KEY (kind, owner, id, version)
) STRICT;

-- Keys that sign, per authorization server ('as', 'idp/acme') and purpose.
CREATE TABLE signing_key (
    kid TEXT NOT NULL PRIMARY KEY,
    role TEXT NOT NULL,
    purpose TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    sealed BLOB NOT NULL,
    public_jwk TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    active_from INTEGER NOT NULL,
    retired_at INTEGER,
    forget_after INTEGER
) STRICT;
CREATE INDEX signing_key_by_role ON signing_key (role, purpose);

-- Symmetric secrets of the deployment.
CREATE TABLE secret_key (
    purpose TEXT NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- What nodes must hear of, numbered in commit order by way of the one row of news_head.
CREATE TABLE news_head (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO news_head (one, seq) VALUES (1, 0);

CREATE TABLE news (
    seq INTEGER NOT NULL PRIMARY KEY,
    topic TEXT NOT NULL,
    subject TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX news_by_time ON news (at);

-- Audit events. Organization '' is the deployment. Position and hash are null until chained.
CREATE TABLE audit_event (
    seq INTEGER NOT NULL PRIMARY KEY,
    organization TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    request_id TEXT NOT NULL,
    details TEXT NOT NULL,
    position INTEGER,
    hash BLOB
) STRICT;
CREATE INDEX audit_event_unchained ON audit_event (organization, seq) WHERE position IS NULL;
CREATE UNIQUE INDEX audit_event_chained ON audit_event (organization, position)
    WHERE position IS NOT NULL;

-- The end of each organization's chain.
CREATE TABLE audit_chain (
    organization TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;

-- Signed statements "the chain of this organization had this hash at this position".
CREATE TABLE audit_checkpoint (
    organization TEXT NOT NULL,
    position INTEGER NOT NULL,
    at INTEGER NOT NULL,
    statement TEXT NOT NULL,
    PRIMARY KEY (organization, position)
) STRICT;

-- Portable between SQLite and PostgreSQL: identifiers are TEXT, points in time BIGINT microseconds
-- since 1970 (UTC), JSON documents TEXT, sealed secrets TEXT (base64).

-- One row: what this data directory is, and the proof that the master key fits.
CREATE TABLE install (
    slot                 BIGINT PRIMARY KEY CHECK (slot = 1),
    id                   TEXT NOT NULL,
    master_key_check     TEXT NOT NULL,
    fingerprint_key      TEXT NOT NULL
);

CREATE TABLE tenants (
    id                   TEXT PRIMARY KEY,
    created_at           BIGINT NOT NULL
);

CREATE TABLE tokens (
    id                   TEXT PRIMARY KEY,
    name                 TEXT NOT NULL,
    hash                 TEXT NOT NULL UNIQUE,
    tenant               TEXT REFERENCES tenants (id),
    rights               TEXT NOT NULL,
    created_at           BIGINT NOT NULL,
    expires_at           BIGINT,
    revoked_at           BIGINT
);

CREATE TABLE connectors (
    id                   TEXT PRIMARY KEY,
    tenant               TEXT NOT NULL REFERENCES tenants (id),
    name                 TEXT NOT NULL,
    integration          TEXT NOT NULL,
    document             TEXT NOT NULL,
    credential           TEXT NOT NULL,
    enabled              BOOLEAN NOT NULL,
    revision             BIGINT NOT NULL,
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL,
    UNIQUE (tenant, name)
);

-- Numbers that only grow.
CREATE TABLE counters (
    name                 TEXT PRIMARY KEY,
    value                BIGINT NOT NULL
);

CREATE TABLE cursors (
    connector_id         TEXT NOT NULL REFERENCES connectors (id) ON DELETE CASCADE,
    stream               TEXT NOT NULL,
    cursor_json          TEXT NOT NULL,
    updated_at           BIGINT NOT NULL,
    PRIMARY KEY (connector_id, stream)
);

CREATE TABLE stream_status (
    connector_id         TEXT NOT NULL REFERENCES connectors (id) ON DELETE CASCADE,
    stream               TEXT NOT NULL,
    state                TEXT NOT NULL,
    fault                TEXT,
    detail               TEXT,
    since                BIGINT NOT NULL,
    last_ok              BIGINT,
    next_at              BIGINT,
    updated_at           BIGINT NOT NULL,
    PRIMARY KEY (connector_id, stream)
);

-- Outlives its connector: rows in the lake stay, and so does the account of them.
CREATE TABLE ledger (
    id                   TEXT PRIMARY KEY,
    connector_id         TEXT NOT NULL,
    tenant               TEXT NOT NULL REFERENCES tenants (id),
    source               TEXT NOT NULL,
    stream               TEXT NOT NULL,
    start_time           BIGINT NOT NULL,
    end_time             BIGINT NOT NULL,
    kind                 TEXT NOT NULL,
    state                TEXT NOT NULL,
    pages                BIGINT NOT NULL,
    polls                BIGINT NOT NULL,
    served               BIGINT NOT NULL,
    stored               BIGINT NOT NULL,
    duplicate            BIGINT NOT NULL,
    filtered             BIGINT NOT NULL,
    dead_lettered        BIGINT NOT NULL,
    first_at             BIGINT NOT NULL,
    last_at              BIGINT NOT NULL,
    CHECK (end_time >= start_time),
    UNIQUE (connector_id, stream, start_time, kind, tenant, source)
);
CREATE INDEX ledger_by_end ON ledger (connector_id, stream, end_time);

CREATE TABLE dead_letters (
    id                   TEXT PRIMARY KEY,
    tenant               TEXT NOT NULL REFERENCES tenants (id),
    connector_id         TEXT NOT NULL,
    source               TEXT NOT NULL,
    stream               TEXT NOT NULL,
    ledger_id            TEXT NOT NULL REFERENCES ledger (id),
    raw                  BYTEA NOT NULL,
    raw_size             BIGINT NOT NULL,
    reason               TEXT NOT NULL,
    at                   BIGINT NOT NULL,
    state                TEXT NOT NULL,
    settled_at           BIGINT
);
CREATE INDEX dead_letters_by_connector ON dead_letters (connector_id, id);
CREATE INDEX dead_letters_by_ledger ON dead_letters (ledger_id);

-- Batches whose receipts are in the ledger: one row per table that got rows of it, or one row with an
-- empty class for a batch without any.
CREATE TABLE applied_batches (
    batch_id             TEXT NOT NULL,
    class                TEXT NOT NULL,
    version              BIGINT NOT NULL,
    applied_at           BIGINT NOT NULL,
    PRIMARY KEY (batch_id, class)
);
CREATE INDEX applied_batches_by_version ON applied_batches (class, version);

-- Every receipt in a table's commits up to this version is in the ledger.
CREATE TABLE applied_versions (
    class                TEXT PRIMARY KEY,
    version              BIGINT NOT NULL
);

CREATE TABLE reservations (
    id                   TEXT PRIMARY KEY,
    key_id               TEXT NOT NULL,
    endpoint             TEXT NOT NULL,
    at                   BIGINT NOT NULL
);
CREATE INDEX reservations_by_key ON reservations (key_id, endpoint, at);

CREATE TABLE key_health (
    key_id               TEXT PRIMARY KEY,
    label                TEXT NOT NULL,
    first_used           BIGINT NOT NULL,
    last_ok              BIGINT,
    last_fault           TEXT,
    last_fault_at        BIGINT
);

CREATE TABLE audit_log (
    id                   TEXT PRIMARY KEY,
    actor                TEXT NOT NULL,
    action               TEXT NOT NULL,
    object               TEXT NOT NULL,
    detail               TEXT NOT NULL,
    at                   BIGINT NOT NULL
);

CREATE TABLE settings (
    name                 TEXT PRIMARY KEY,
    value_json           TEXT NOT NULL
);

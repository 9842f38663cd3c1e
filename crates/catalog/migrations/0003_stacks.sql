-- The clients that people run in their own AWS accounts. Of codes and tokens only hashes are kept.
-- A stack's id is the connector id of its records.
CREATE TABLE stacks (
    id                   TEXT PRIMARY KEY,
    tenant               TEXT NOT NULL REFERENCES tenants (id),
    name                 TEXT NOT NULL,
    account_id           TEXT,
    region               TEXT NOT NULL,
    variant              TEXT NOT NULL,
    code_hash            TEXT UNIQUE,
    code_expires_at      BIGINT,
    code_used_at         BIGINT,
    token_hash           TEXT UNIQUE,
    next_hash            TEXT UNIQUE,
    template_version     TEXT,
    client_version       TEXT,
    is_paused            BOOLEAN NOT NULL,
    queue_visible        BIGINT,
    refusal              TEXT,
    lifetime_days        BIGINT,
    created_at           BIGINT NOT NULL,
    enrolled_at          BIGINT,
    first_object_at      BIGINT,
    last_record_at       BIGINT,
    last_heartbeat_at    BIGINT,
    expires_at           BIGINT,
    revoked_at           BIGINT
);
CREATE INDEX stacks_by_account ON stacks (tenant, account_id, region);

-- What was answered to a push, for as long as it may be sent again.
CREATE TABLE pushes (
    stack_id             TEXT NOT NULL REFERENCES stacks (id),
    push_key             TEXT NOT NULL,
    digest               TEXT NOT NULL,
    served               BIGINT NOT NULL,
    stored               BIGINT NOT NULL,
    duplicate            BIGINT NOT NULL,
    filtered             BIGINT NOT NULL,
    dead_lettered        BIGINT NOT NULL,
    at                   BIGINT NOT NULL,
    PRIMARY KEY (stack_id, push_key)
);
CREATE INDEX pushes_by_time ON pushes (at);

-- What a stack has sent in a minute of the clock.
CREATE TABLE stack_usage (
    stack_id             TEXT NOT NULL REFERENCES stacks (id),
    minute               BIGINT NOT NULL,
    requests             BIGINT NOT NULL,
    bytes                BIGINT NOT NULL,
    PRIMARY KEY (stack_id, minute)
);

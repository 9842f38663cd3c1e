-- Runs of actions. What a run is asked, and what it answers, are the engine's own JSON.
CREATE TABLE runs (
    id                   TEXT PRIMARY KEY,
    tenant               TEXT NOT NULL REFERENCES tenants (id),
    action               TEXT NOT NULL,
    version              BIGINT NOT NULL,
    connector_id         TEXT NOT NULL,
    connector_name       TEXT NOT NULL,
    document             TEXT NOT NULL,
    sealed_input         TEXT,
    state                TEXT NOT NULL,
    is_dry_run           BOOLEAN NOT NULL,
    is_cancelled         BOOLEAN NOT NULL,
    actor                TEXT NOT NULL,
    idempotency_key      TEXT,
    digest               TEXT NOT NULL,
    reverse_of           TEXT,
    retry_of             TEXT,
    progress             TEXT NOT NULL,
    outcome              TEXT,
    created_at           BIGINT NOT NULL,
    due_at               BIGINT NOT NULL,
    ended_at             BIGINT,
    UNIQUE (tenant, idempotency_key)
);
CREATE INDEX runs_by_tenant ON runs (tenant, id);
CREATE INDEX runs_by_state ON runs (state);

-- The journal of a run: written before a request is sent and after it is answered.
CREATE TABLE run_steps (
    run_id               TEXT NOT NULL REFERENCES runs (id),
    name                 TEXT NOT NULL,
    ordinal              BIGINT NOT NULL,
    is_change            BOOLEAN NOT NULL,
    request              TEXT,
    sends                BIGINT NOT NULL,
    sent_at              BIGINT,
    ending               TEXT,
    PRIMARY KEY (run_id, name)
);

-- Each sending of a step.
CREATE TABLE run_attempts (
    run_id               TEXT NOT NULL REFERENCES runs (id),
    step                 TEXT NOT NULL,
    attempt              BIGINT NOT NULL,
    sent_at              BIGINT NOT NULL,
    ended_at             BIGINT,
    ending               TEXT,
    PRIMARY KEY (run_id, step, attempt)
);

-- What a run may change, and what it may not. The permitted ones count against the action's cap.
CREATE TABLE run_targets (
    run_id               TEXT NOT NULL REFERENCES runs (id),
    kind                 TEXT NOT NULL,
    value                TEXT NOT NULL,
    tenant               TEXT NOT NULL,
    action               TEXT NOT NULL,
    is_permitted         BOOLEAN NOT NULL,
    is_counted           BOOLEAN NOT NULL,
    verdict              TEXT NOT NULL,
    at                   BIGINT NOT NULL,
    PRIMARY KEY (run_id, kind, value)
);
CREATE INDEX run_targets_by_action ON run_targets (tenant, action, at);

-- The vendor's names for the work of a run: no two runs take the same for their own.
CREATE TABLE run_handles (
    connector_id         TEXT NOT NULL,
    handle               TEXT NOT NULL,
    run_id               TEXT NOT NULL REFERENCES runs (id),
    PRIMARY KEY (connector_id, handle)
);

-- What no action may take away.
CREATE TABLE protected_entities (
    tenant               TEXT NOT NULL REFERENCES tenants (id),
    kind                 TEXT NOT NULL,
    pattern              TEXT NOT NULL,
    reason               TEXT NOT NULL,
    actor                TEXT NOT NULL,
    at                   BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, pattern)
);

-- How many things an action may take away in an hour.
CREATE TABLE action_caps (
    tenant               TEXT NOT NULL REFERENCES tenants (id),
    action               TEXT NOT NULL,
    per_hour             BIGINT NOT NULL,
    actor                TEXT NOT NULL,
    at                   BIGINT NOT NULL,
    PRIMARY KEY (tenant, action)
);

-- What was learned about entities.
CREATE TABLE entity_properties (
    tenant               TEXT NOT NULL REFERENCES tenants (id),
    kind                 TEXT NOT NULL,
    value                TEXT NOT NULL,
    name                 TEXT NOT NULL,
    property             TEXT NOT NULL,
    is_suspicious        BOOLEAN NOT NULL,
    source               TEXT NOT NULL,
    run_id               TEXT NOT NULL,
    at                   BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, value, name)
);

-- Webhooks; the tenant is missing where all tenants may use one.
CREATE TABLE responders (
    id                   TEXT PRIMARY KEY,
    tenant               TEXT REFERENCES tenants (id),
    name                 TEXT NOT NULL,
    document             TEXT NOT NULL,
    secrets              TEXT NOT NULL,
    revision             BIGINT NOT NULL,
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL
);
CREATE UNIQUE INDEX responders_by_name ON responders (COALESCE(tenant, ''), name);

-- What the records of a stream look like, and where they departed from it; the engine's own document.
CREATE TABLE shapes (
    connector_id         TEXT NOT NULL REFERENCES connectors (id) ON DELETE CASCADE,
    stream               TEXT NOT NULL,
    shape_json           TEXT NOT NULL,
    updated_at           BIGINT NOT NULL,
    PRIMARY KEY (connector_id, stream)
);

-- Tenants. `position` is the place of the organization's newest event.
CREATE TABLE organizations (
    id          BLOB NOT NULL PRIMARY KEY,
    name        TEXT NOT NULL,
    time_zone   TEXT NOT NULL,
    currency    TEXT NOT NULL,
    require_2fa TEXT NOT NULL, -- roles, separated by spaces
    position    INTEGER NOT NULL DEFAULT 0,
    version     INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX organizations_by_age ON organizations (created_at, id);

CREATE TABLE users (
    org_id             BLOB NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id                 BLOB NOT NULL,
    name               TEXT NOT NULL,
    email              TEXT NOT NULL,
    email_key          TEXT NOT NULL, -- the folded form, unique over the deployment by `accounts`
    password_hash      TEXT NOT NULL,
    role               TEXT NOT NULL CHECK (role IN ('OWNER', 'ADMIN', 'MANAGER', 'SALES')),
    active             INTEGER NOT NULL,
    two_factor_enabled INTEGER NOT NULL,
    is_operator        INTEGER NOT NULL,
    search             TEXT NOT NULL, -- folded words of the name, each after a space, and of the email, after a space and @
    last_login_at      TEXT,
    version            INTEGER NOT NULL,
    created_at         TEXT NOT NULL,
    updated_at         TEXT NOT NULL,
    PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX users_by_age ON users (org_id, created_at, id);

-- Tenant-free: which user of which organization a sign-in email belongs to.
CREATE TABLE accounts (
    email_key TEXT NOT NULL PRIMARY KEY,
    org_id    BLOB NOT NULL,
    user_id   BLOB NOT NULL UNIQUE,
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX accounts_by_organization ON accounts (org_id, user_id);

-- Tenant-free: one family of refresh tokens each. Tokens are kept as SHA-256 only.
CREATE TABLE sessions (
    id             BLOB NOT NULL PRIMARY KEY,
    org_id         BLOB NOT NULL,
    user_id        BLOB NOT NULL,
    token_hash     BLOB NOT NULL, -- of the newest token that has been used
    successor_hash BLOB NOT NULL, -- of the token given out for it
    generation     INTEGER NOT NULL,   -- how often the token has rotated
    rotated_at     TEXT NOT NULL,  -- when the newest token was first used
    created_at     TEXT NOT NULL,
    last_used_at   TEXT NOT NULL,
    revoked_at     TEXT,
    ip             TEXT,
    user_agent     TEXT,
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (org_id, user_id, created_at);

-- Tenant-free: failed sign-ins for accounts that are not there.
CREATE TABLE sign_in_log (
    id             INTEGER PRIMARY KEY,
    email_key_hash BLOB NOT NULL,
    ip             TEXT,
    created_at     TEXT NOT NULL
) STRICT;

CREATE INDEX sign_in_log_by_age ON sign_in_log (created_at);

-- Tenant-free: what platform operators did.
CREATE TABLE operator_log (
    id          INTEGER PRIMARY KEY,
    operator_id BLOB NOT NULL,
    action      TEXT NOT NULL,
    org_id      BLOB NOT NULL,
    created_at  TEXT NOT NULL
) STRICT;

CREATE TABLE leads (
    org_id         BLOB NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id             BLOB NOT NULL,
    name           TEXT NOT NULL,
    email          TEXT,
    email_key      TEXT,
    phone          TEXT,
    company        TEXT,
    source         TEXT,
    status         TEXT NOT NULL CHECK (status IN ('NEW', 'CONTACTED', 'QUALIFIED', 'PROPOSAL', 'WON', 'LOST')),
    value          INTEGER NOT NULL, -- minor units of the organization's currency
    notes          TEXT,
    external_id    TEXT,
    owner_id       BLOB NOT NULL,
    assigned_to_id BLOB,
    is_converted   INTEGER NOT NULL,
    search         TEXT NOT NULL, -- folded words of name, email and company, each after a space
    version        INTEGER NOT NULL,
    created_at     TEXT NOT NULL,
    updated_at     TEXT NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, owner_id) REFERENCES users (org_id, id),
    FOREIGN KEY (org_id, assigned_to_id) REFERENCES users (org_id, id)
) STRICT, WITHOUT ROWID;

-- What many records do not have is indexed where they have it.
CREATE UNIQUE INDEX leads_by_external_id ON leads (org_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX leads_by_creation ON leads (org_id, created_at, id);
CREATE INDEX leads_by_change ON leads (org_id, updated_at, id);
CREATE INDEX leads_by_name ON leads (org_id, name, id);
CREATE INDEX leads_by_value ON leads (org_id, value, id);
CREATE INDEX leads_by_owner ON leads (org_id, owner_id, created_at, id);
CREATE INDEX leads_by_assignee ON leads (org_id, assigned_to_id, created_at, id) WHERE assigned_to_id IS NOT NULL;
CREATE INDEX leads_by_status ON leads (org_id, status, created_at, id);
CREATE INDEX leads_by_source ON leads (org_id, source, created_at, id) WHERE source IS NOT NULL;
CREATE INDEX leads_by_email ON leads (org_id, email_key) WHERE email_key IS NOT NULL;

-- The folded words of leads, by which `q` finds them. No foreign keys, which would cost more than the rows: whoever
-- deletes a lead or an organization deletes these too.
CREATE TABLE lead_terms (
    org_id BLOB NOT NULL,
    term   TEXT NOT NULL,
    id     BLOB NOT NULL, -- of the lead
    PRIMARY KEY (org_id, term, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE activities (
    org_id     BLOB NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id         BLOB NOT NULL,
    lead_id    BLOB NOT NULL,
    user_id    BLOB NOT NULL,
    type       TEXT NOT NULL CHECK (type IN ('NOTE', 'CALL', 'EMAIL', 'MEETING')),
    content    TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, lead_id) REFERENCES leads (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX activities_of_lead ON activities (org_id, lead_id, created_at, id);

CREATE TABLE deals (
    org_id         BLOB NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id             BLOB NOT NULL,
    title          TEXT NOT NULL,
    value          INTEGER NOT NULL, -- minor units of the organization's currency
    stage          TEXT NOT NULL CHECK (
        stage IN ('QUALIFICATION', 'DISCOVERY', 'PROPOSAL', 'NEGOTIATION', 'CLOSED_WON', 'CLOSED_LOST')
    ),
    probability    INTEGER NOT NULL CHECK (probability BETWEEN 0 AND 100),
    expected_close TEXT,
    closed_at      TEXT,
    lead_id        BLOB,
    owner_id       BLOB NOT NULL,
    assigned_to_id BLOB,
    notes          TEXT,
    lost_reason    TEXT,
    external_id    TEXT,
    search         TEXT NOT NULL, -- folded words of the title, each after a space
    version        INTEGER NOT NULL,
    created_at     TEXT NOT NULL,
    updated_at     TEXT NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, lead_id) REFERENCES leads (org_id, id),
    FOREIGN KEY (org_id, owner_id) REFERENCES users (org_id, id),
    FOREIGN KEY (org_id, assigned_to_id) REFERENCES users (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX deals_by_external_id ON deals (org_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX deals_by_creation ON deals (org_id, created_at, id);
CREATE INDEX deals_by_change ON deals (org_id, updated_at, id);
CREATE INDEX deals_by_title ON deals (org_id, title, id);
CREATE INDEX deals_by_value ON deals (org_id, value, id);
CREATE INDEX deals_by_stage ON deals (org_id, stage, created_at, id);
CREATE INDEX deals_by_owner ON deals (org_id, owner_id, created_at, id);
CREATE INDEX deals_by_assignee ON deals (org_id, assigned_to_id, created_at, id) WHERE assigned_to_id IS NOT NULL;
CREATE INDEX deals_of_lead ON deals (org_id, lead_id, created_at, id) WHERE lead_id IS NOT NULL;
CREATE INDEX deals_by_expected_close ON deals (org_id, expected_close, id);
CREATE INDEX deals_by_close ON deals (org_id, closed_at) WHERE closed_at IS NOT NULL;

-- The folded words of deals, by which `q` finds them. No foreign keys, which would cost more than the rows: whoever
-- deletes a deal or an organization deletes these too.
CREATE TABLE deal_terms (
    org_id BLOB NOT NULL,
    term   TEXT NOT NULL,
    id     BLOB NOT NULL, -- of the deal
    PRIMARY KEY (org_id, term, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE tasks (
    org_id         BLOB NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id             BLOB NOT NULL,
    title          TEXT NOT NULL,
    description    TEXT,
    status         TEXT NOT NULL CHECK (status IN ('TODO', 'IN_PROGRESS', 'DONE')),
    priority       TEXT NOT NULL CHECK (priority IN ('LOW', 'MEDIUM', 'HIGH')),
    due_date       TEXT,
    due_key        TEXT NOT NULL, -- the due date, or the far future: what tasks sort by
    lead_id        BLOB,
    deal_id        BLOB,
    assigned_to_id BLOB NOT NULL,
    created_by_id  BLOB NOT NULL,
    completed_at   TEXT,
    search         TEXT NOT NULL, -- folded words of the title, each after a space
    version        INTEGER NOT NULL,
    created_at     TEXT NOT NULL,
    updated_at     TEXT NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, lead_id) REFERENCES leads (org_id, id),
    FOREIGN KEY (org_id, deal_id) REFERENCES deals (org_id, id),
    FOREIGN KEY (org_id, assigned_to_id) REFERENCES users (org_id, id),
    FOREIGN KEY (org_id, created_by_id) REFERENCES users (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX tasks_by_creation ON tasks (org_id, created_at, id);
CREATE INDEX tasks_by_change ON tasks (org_id, updated_at, id);
CREATE INDEX tasks_by_title ON tasks (org_id, title, id);
CREATE INDEX tasks_by_due_date ON tasks (org_id, due_key, id);
CREATE INDEX tasks_by_status ON tasks (org_id, status, created_at, id);
CREATE INDEX tasks_by_priority ON tasks (org_id, priority, created_at, id);
CREATE INDEX tasks_undone ON tasks (org_id, due_key, id) WHERE status <> 'DONE';
CREATE INDEX tasks_by_assignee_and_due_date ON tasks (org_id, assigned_to_id, due_key, id);
CREATE INDEX tasks_by_assignee ON tasks (org_id, assigned_to_id, created_at, id);
CREATE INDEX tasks_of_lead ON tasks (org_id, lead_id, created_at, id) WHERE lead_id IS NOT NULL;
CREATE INDEX tasks_of_deal ON tasks (org_id, deal_id, created_at, id) WHERE deal_id IS NOT NULL;

-- The folded words of tasks, by which `q` finds them. No foreign keys, which would cost more than the rows: whoever
-- deletes a task or an organization deletes these too.
CREATE TABLE task_terms (
    org_id BLOB NOT NULL,
    term   TEXT NOT NULL,
    id     BLOB NOT NULL, -- of the task
    PRIMARY KEY (org_id, term, id)
) STRICT, WITHOUT ROWID;

-- What the dashboard shows, changed by the transaction of every change: how many records of a kind there are, and what
-- they are worth. `key` is the status, the source (empty for none), the stage with the probability, or the beginning of
-- the quarter of an hour.
CREATE TABLE figures (
    org_id    BLOB NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    viewer_id BLOB NOT NULL, -- who sees the records as owner or assignee; the nil id for everything
    kind      TEXT NOT NULL CHECK (
        kind IN ('lead:status', 'lead:source', 'lead:created', 'deal:stage', 'deal:won', 'task:status')
    ),
    key       TEXT NOT NULL,
    count     INTEGER NOT NULL,
    value     INTEGER NOT NULL, -- minor units of the organization's currency
    PRIMARY KEY (org_id, viewer_id, kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE notifications (
    org_id     BLOB NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id         BLOB NOT NULL,
    user_id    BLOB NOT NULL,
    type       TEXT NOT NULL CHECK (
        type IN ('TASK_ASSIGNED', 'USER_ADDED', 'LEAD_ASSIGNED', 'DEAL_UPDATED', 'SYSTEM')
    ),
    message    TEXT NOT NULL,
    link       TEXT,
    is_read    INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX notifications_of_user ON notifications (org_id, user_id, created_at, id);

-- The log. `audience_users` holds user ids, separated by spaces.
CREATE TABLE events (
    org_id         BLOB NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    position       INTEGER NOT NULL,
    type           TEXT NOT NULL,
    entity_type    TEXT NOT NULL,
    entity_id      BLOB NOT NULL,
    user_id        BLOB,
    circle         TEXT NOT NULL CHECK (circle IN ('EVERYONE', 'MANAGERS', 'ADMINS', 'NOBODY')),
    audience_users TEXT NOT NULL,
    payload        TEXT NOT NULL,
    created_at     TEXT NOT NULL,
    PRIMARY KEY (org_id, position)
) STRICT, WITHOUT ROWID;

-- What a viewer may not see is passed over without reading it.
CREATE INDEX events_by_audience ON events (org_id, position, circle, audience_users);

CREATE TABLE audit_entries (
    org_id      BLOB NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id          BLOB NOT NULL,
    action      TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entity_id   BLOB NOT NULL,
    user_id     BLOB,
    details     TEXT NOT NULL,
    ip_address  TEXT,
    created_at  TEXT NOT NULL,
    PRIMARY KEY (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_entries_by_age ON audit_entries (org_id, created_at, id);
CREATE INDEX audit_entries_of_entity ON audit_entries (org_id, entity_id, created_at, id);

-- Answers kept under idempotency keys.
CREATE TABLE answers (
    org_id      BLOB NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id     BLOB NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL, -- SHA-256 of operation and body
    answer      BLOB NOT NULL, -- CBOR
    created_at  TEXT NOT NULL,
    PRIMARY KEY (org_id, user_id, key),
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX answers_by_age ON answers (created_at);

-- Imports. An import is worked on by whoever holds its lease; staged rows hold mapped cells only.
CREATE TABLE imports (
    org_id           BLOB NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id               BLOB NOT NULL,
    user_id          BLOB NOT NULL,
    kind             TEXT NOT NULL CHECK (kind IN ('leads', 'deals')),
    file             TEXT NOT NULL,
    plan             TEXT NOT NULL, -- which column fills which field
    is_staged        INTEGER NOT NULL, -- whether the whole file has arrived
    state            TEXT NOT NULL CHECK (state IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED', 'UNDOING', 'UNDONE')),
    error            TEXT,
    dry_run          INTEGER NOT NULL,
    total            INTEGER NOT NULL,
    created          INTEGER NOT NULL,
    updated          INTEGER NOT NULL,
    skipped          INTEGER NOT NULL,
    rejected         INTEGER NOT NULL,
    removed          INTEGER NOT NULL,
    restored         INTEGER NOT NULL,
    kept             INTEGER NOT NULL,
    checkpoint       INTEGER NOT NULL, -- the line of the last row that has been applied
    undo_user_id     BLOB, -- who asked to undo it
    undo_checkpoint  BLOB, -- the last record that has been dealt with in undoing it
    lease_token      BLOB,
    lease_until      TEXT,         -- by the database's clock
    created_at       TEXT NOT NULL,
    started_at       TEXT,
    finished_at      TEXT,
    undone_at        TEXT,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX imports_by_age ON imports (org_id, created_at, id);

-- Rows that are applied together.
CREATE TABLE import_batches (
    org_id    BLOB NOT NULL,
    import_id BLOB NOT NULL,
    line      INTEGER NOT NULL, -- where the last of them begins in the file; the header stands on line 1
    count     INTEGER NOT NULL, -- how many they are
    rows      BLOB NOT NULL, -- JSON: [[line, [text]]], of the mapped columns
    PRIMARY KEY (org_id, import_id, line),
    FOREIGN KEY (org_id, import_id) REFERENCES imports (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE import_rejections (
    org_id      BLOB NOT NULL,
    import_id   BLOB NOT NULL,
    line        INTEGER NOT NULL,
    column_name TEXT,
    value       TEXT,
    reason      TEXT NOT NULL,
    cells       TEXT, -- [text], of the mapped columns
    PRIMARY KEY (org_id, import_id, line),
    FOREIGN KEY (org_id, import_id) REFERENCES imports (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- By which external id or email records would be found after a dry run: later rows of its file may say the same again.
CREATE TABLE import_keys (
    org_id    BLOB NOT NULL,
    import_id BLOB NOT NULL,
    key       TEXT NOT NULL,
    record_id BLOB NOT NULL,
    PRIMARY KEY (org_id, import_id, key, record_id),
    FOREIGN KEY (org_id, import_id) REFERENCES imports (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- What a dry run would have made of records, while it runs.
CREATE TABLE import_foreseen (
    org_id    BLOB NOT NULL,
    import_id BLOB NOT NULL,
    record_id BLOB NOT NULL,
    record    BLOB NOT NULL, -- CBOR
    PRIMARY KEY (org_id, import_id, record_id),
    FOREIGN KEY (org_id, import_id) REFERENCES imports (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- What an import did to each record: what undoing it needs. No foreign key, which would cost as much as the row: an
-- import that changed anything goes with its organization only, and whoever deletes that deletes these too.
CREATE TABLE import_changes (
    org_id       BLOB NOT NULL,
    import_id    BLOB NOT NULL,
    record_id    BLOB NOT NULL, -- a lead or deal, by the import's kind
    line         INTEGER NOT NULL, -- of the first row that created or changed it
    version      INTEGER NOT NULL, -- of the record after the import, or after it was undone
    previous     BLOB, -- CBOR of the record before the import; NULL when the import created it
    is_restored  INTEGER NOT NULL, -- whether the record is again what it was before
    kept_because TEXT, -- why undoing the import left the record as it is
    PRIMARY KEY (org_id, import_id, record_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX import_changes_kept ON import_changes (org_id, import_id, line, record_id) WHERE kept_because IS NOT NULL;

-- Tenants. `position` is the place of the organization's newest event.
CREATE TABLE organizations (
    id          UUID NOT NULL PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL,
    time_zone   TEXT NOT NULL,
    currency    TEXT NOT NULL,
    require_2fa TEXT NOT NULL, -- roles, separated by spaces
    position    BIGINT NOT NULL DEFAULT 0,
    version     BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL
);

CREATE INDEX organizations_by_age ON organizations (created_at, id);

CREATE TABLE users (
    org_id             UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id                 UUID NOT NULL,
    name               TEXT COLLATE "C" NOT NULL,
    email              TEXT NOT NULL,
    email_key          TEXT COLLATE "C" NOT NULL, -- the folded form, unique over the deployment by `accounts`
    password_hash      TEXT NOT NULL,
    role               TEXT NOT NULL CHECK (role IN ('OWNER', 'ADMIN', 'MANAGER', 'SALES')),
    active             BOOLEAN NOT NULL,
    two_factor_enabled BOOLEAN NOT NULL,
    is_operator        BOOLEAN NOT NULL,
    search             TEXT COLLATE "C" NOT NULL, -- folded words of the name, each after a space, and of the email, after a space and @
    last_login_at      TIMESTAMPTZ,
    version            BIGINT NOT NULL,
    created_at         TIMESTAMPTZ NOT NULL,
    updated_at         TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (org_id, id)
);

CREATE INDEX users_by_age ON users (org_id, created_at, id);

-- Tenant-free: which user of which organization a sign-in email belongs to.
CREATE TABLE accounts (
    email_key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    org_id    UUID NOT NULL,
    user_id   UUID NOT NULL UNIQUE,
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);

CREATE INDEX accounts_by_organization ON accounts (org_id, user_id);

-- Tenant-free: one family of refresh tokens each. Tokens are kept as SHA-256 only.
CREATE TABLE sessions (
    id             UUID NOT NULL PRIMARY KEY,
    org_id         UUID NOT NULL,
    user_id        UUID NOT NULL,
    token_hash     BYTEA NOT NULL, -- of the newest token that has been used
    successor_hash BYTEA NOT NULL, -- of the token given out for it
    generation     BIGINT NOT NULL,   -- how often the token has rotated
    rotated_at     TIMESTAMPTZ NOT NULL,  -- when the newest token was first used
    created_at     TIMESTAMPTZ NOT NULL,
    last_used_at   TIMESTAMPTZ NOT NULL,
    revoked_at     TIMESTAMPTZ,
    ip             TEXT,
    user_agent     TEXT,
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id) ON DELETE CASCADE
);

CREATE INDEX sessions_by_user ON sessions (org_id, user_id, created_at);

-- Tenant-free: failed sign-ins for accounts that are not there.
CREATE TABLE sign_in_log (
    id             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email_key_hash BYTEA NOT NULL,
    ip             TEXT,
    created_at     TIMESTAMPTZ NOT NULL
);

CREATE INDEX sign_in_log_by_age ON sign_in_log (created_at);

-- Tenant-free: what platform operators did.
CREATE TABLE operator_log (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operator_id UUID NOT NULL,
    action      TEXT NOT NULL,
    org_id      UUID NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL
);

CREATE TABLE leads (
    org_id         UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id             UUID NOT NULL,
    name           TEXT COLLATE "C" NOT NULL,
    email          TEXT,
    email_key      TEXT COLLATE "C",
    phone          TEXT,
    company        TEXT,
    source         TEXT COLLATE "C",
    status         TEXT NOT NULL CHECK (status IN ('NEW', 'CONTACTED', 'QUALIFIED', 'PROPOSAL', 'WON', 'LOST')),
    value          BIGINT NOT NULL, -- minor units of the organization's currency
    notes          TEXT,
    external_id    TEXT COLLATE "C",
    owner_id       UUID NOT NULL,
    assigned_to_id UUID,
    is_converted   BOOLEAN NOT NULL,
    search         TEXT COLLATE "C" NOT NULL, -- folded words of name, email and company, each after a space
    version        BIGINT NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    updated_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, owner_id) REFERENCES users (org_id, id),
    FOREIGN KEY (org_id, assigned_to_id) REFERENCES users (org_id, id)
);

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
    org_id UUID NOT NULL,
    term   TEXT COLLATE "C" NOT NULL,
    id     UUID NOT NULL, -- of the lead
    PRIMARY KEY (org_id, term, id)
);

CREATE TABLE activities (
    org_id     UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id         UUID NOT NULL,
    lead_id    UUID NOT NULL,
    user_id    UUID NOT NULL,
    type       TEXT NOT NULL CHECK (type IN ('NOTE', 'CALL', 'EMAIL', 'MEETING')),
    content    TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, lead_id) REFERENCES leads (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id)
);

CREATE INDEX activities_of_lead ON activities (org_id, lead_id, created_at, id);

CREATE TABLE deals (
    org_id         UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id             UUID NOT NULL,
    title          TEXT COLLATE "C" NOT NULL,
    value          BIGINT NOT NULL, -- minor units of the organization's currency
    stage          TEXT NOT NULL CHECK (
        stage IN ('QUALIFICATION', 'DISCOVERY', 'PROPOSAL', 'NEGOTIATION', 'CLOSED_WON', 'CLOSED_LOST')
    ),
    probability    BIGINT NOT NULL CHECK (probability BETWEEN 0 AND 100),
    expected_close TIMESTAMPTZ,
    closed_at      TIMESTAMPTZ,
    lead_id        UUID,
    owner_id       UUID NOT NULL,
    assigned_to_id UUID,
    notes          TEXT,
    lost_reason    TEXT,
    external_id    TEXT COLLATE "C",
    search         TEXT COLLATE "C" NOT NULL, -- folded words of the title, each after a space
    version        BIGINT NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    updated_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, lead_id) REFERENCES leads (org_id, id),
    FOREIGN KEY (org_id, owner_id) REFERENCES users (org_id, id),
    FOREIGN KEY (org_id, assigned_to_id) REFERENCES users (org_id, id)
);

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
    org_id UUID NOT NULL,
    term   TEXT COLLATE "C" NOT NULL,
    id     UUID NOT NULL, -- of the deal
    PRIMARY KEY (org_id, term, id)
);

CREATE TABLE tasks (
    org_id         UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id             UUID NOT NULL,
    title          TEXT COLLATE "C" NOT NULL,
    description    TEXT,
    status         TEXT NOT NULL CHECK (status IN ('TODO', 'IN_PROGRESS', 'DONE')),
    priority       TEXT NOT NULL CHECK (priority IN ('LOW', 'MEDIUM', 'HIGH')),
    due_date       TIMESTAMPTZ,
    due_key        TIMESTAMPTZ NOT NULL, -- the due date, or the far future: what tasks sort by
    lead_id        UUID,
    deal_id        UUID,
    assigned_to_id UUID NOT NULL,
    created_by_id  UUID NOT NULL,
    completed_at   TIMESTAMPTZ,
    search         TEXT COLLATE "C" NOT NULL, -- folded words of the title, each after a space
    version        BIGINT NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    updated_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, lead_id) REFERENCES leads (org_id, id),
    FOREIGN KEY (org_id, deal_id) REFERENCES deals (org_id, id),
    FOREIGN KEY (org_id, assigned_to_id) REFERENCES users (org_id, id),
    FOREIGN KEY (org_id, created_by_id) REFERENCES users (org_id, id)
);

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
    org_id UUID NOT NULL,
    term   TEXT COLLATE "C" NOT NULL,
    id     UUID NOT NULL, -- of the task
    PRIMARY KEY (org_id, term, id)
);

-- What the dashboard shows, changed by the transaction of every change: how many records of a kind there are, and what
-- they are worth. `key` is the status, the source (empty for none), the stage with the probability, or the beginning of
-- the quarter of an hour.
CREATE TABLE figures (
    org_id    UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    viewer_id UUID NOT NULL, -- who sees the records as owner or assignee; the nil id for everything
    kind      TEXT COLLATE "C" NOT NULL CHECK (
        kind IN ('lead:status', 'lead:source', 'lead:created', 'deal:stage', 'deal:won', 'task:status')
    ),
    key       TEXT COLLATE "C" NOT NULL,
    count     BIGINT NOT NULL,
    value     BIGINT NOT NULL, -- minor units of the organization's currency
    PRIMARY KEY (org_id, viewer_id, kind, key)
) WITH (fillfactor = 50); -- leaves room to change rows where they are

CREATE TABLE notifications (
    org_id     UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id         UUID NOT NULL,
    user_id    UUID NOT NULL,
    type       TEXT NOT NULL CHECK (
        type IN ('TASK_ASSIGNED', 'USER_ADDED', 'LEAD_ASSIGNED', 'DEAL_UPDATED', 'SYSTEM')
    ),
    message    TEXT NOT NULL,
    link       TEXT,
    is_read    BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id)
);

CREATE INDEX notifications_of_user ON notifications (org_id, user_id, created_at, id);

-- The log. `audience_users` holds user ids, separated by spaces.
CREATE TABLE events (
    org_id         UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    position       BIGINT NOT NULL,
    type           TEXT NOT NULL,
    entity_type    TEXT NOT NULL,
    entity_id      UUID NOT NULL,
    user_id        UUID,
    circle         TEXT NOT NULL CHECK (circle IN ('EVERYONE', 'MANAGERS', 'ADMINS', 'NOBODY')),
    audience_users TEXT COLLATE "C" NOT NULL,
    payload        JSONB NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (org_id, position)
);

-- What a viewer may not see is passed over without reading it.
CREATE INDEX events_by_audience ON events (org_id, position) INCLUDE (circle, audience_users);

CREATE TABLE audit_entries (
    org_id      UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id          UUID NOT NULL,
    action      TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    entity_id   UUID NOT NULL,
    user_id     UUID,
    details     JSONB NOT NULL,
    ip_address  TEXT,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (org_id, id)
);

CREATE INDEX audit_entries_by_age ON audit_entries (org_id, created_at, id);
CREATE INDEX audit_entries_of_entity ON audit_entries (org_id, entity_id, created_at, id);

-- Answers kept under idempotency keys.
CREATE TABLE answers (
    org_id      UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id     UUID NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    fingerprint BYTEA NOT NULL, -- SHA-256 of operation and body
    answer      BYTEA NOT NULL, -- CBOR
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (org_id, user_id, key),
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id)
);

CREATE INDEX answers_by_age ON answers (created_at);

-- Imports. An import is worked on by whoever holds its lease; staged rows hold mapped cells only.
CREATE TABLE imports (
    org_id           UUID NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id               UUID NOT NULL,
    user_id          UUID NOT NULL,
    kind             TEXT NOT NULL CHECK (kind IN ('leads', 'deals')),
    file             TEXT NOT NULL,
    plan             JSONB NOT NULL, -- which column fills which field
    is_staged        BOOLEAN NOT NULL, -- whether the whole file has arrived
    state            TEXT NOT NULL CHECK (state IN ('QUEUED', 'RUNNING', 'DONE', 'FAILED', 'UNDOING', 'UNDONE')),
    error            TEXT,
    dry_run          BOOLEAN NOT NULL,
    total            BIGINT NOT NULL,
    created          BIGINT NOT NULL,
    updated          BIGINT NOT NULL,
    skipped          BIGINT NOT NULL,
    rejected         BIGINT NOT NULL,
    removed          BIGINT NOT NULL,
    restored         BIGINT NOT NULL,
    kept             BIGINT NOT NULL,
    checkpoint       BIGINT NOT NULL, -- the line of the last row that has been applied
    undo_user_id     UUID, -- who asked to undo it
    undo_checkpoint  UUID, -- the last record that has been dealt with in undoing it
    lease_token      UUID,
    lease_until      TIMESTAMPTZ,         -- by the database's clock
    created_at       TIMESTAMPTZ NOT NULL,
    started_at       TIMESTAMPTZ,
    finished_at      TIMESTAMPTZ,
    undone_at        TIMESTAMPTZ,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, user_id) REFERENCES users (org_id, id)
);

CREATE INDEX imports_by_age ON imports (org_id, created_at, id);

-- Rows that are applied together.
CREATE TABLE import_batches (
    org_id    UUID NOT NULL,
    import_id UUID NOT NULL,
    line      BIGINT NOT NULL, -- where the last of them begins in the file; the header stands on line 1
    count     BIGINT NOT NULL, -- how many they are
    rows      BYTEA NOT NULL, -- JSON: [[line, [text]]], of the mapped columns
    PRIMARY KEY (org_id, import_id, line),
    FOREIGN KEY (org_id, import_id) REFERENCES imports (org_id, id) ON DELETE CASCADE
);

CREATE TABLE import_rejections (
    org_id      UUID NOT NULL,
    import_id   UUID NOT NULL,
    line        BIGINT NOT NULL,
    column_name TEXT,
    value       TEXT,
    reason      TEXT NOT NULL,
    cells       JSONB, -- [text], of the mapped columns
    PRIMARY KEY (org_id, import_id, line),
    FOREIGN KEY (org_id, import_id) REFERENCES imports (org_id, id) ON DELETE CASCADE
);

-- By which external id or email records would be found after a dry run: later rows of its file may say the same again.
CREATE TABLE import_keys (
    org_id    UUID NOT NULL,
    import_id UUID NOT NULL,
    key       TEXT COLLATE "C" NOT NULL,
    record_id UUID NOT NULL,
    PRIMARY KEY (org_id, import_id, key, record_id),
    FOREIGN KEY (org_id, import_id) REFERENCES imports (org_id, id) ON DELETE CASCADE
);

-- What a dry run would have made of records, while it runs.
CREATE TABLE import_foreseen (
    org_id    UUID NOT NULL,
    import_id UUID NOT NULL,
    record_id UUID NOT NULL,
    record    BYTEA NOT NULL, -- CBOR
    PRIMARY KEY (org_id, import_id, record_id),
    FOREIGN KEY (org_id, import_id) REFERENCES imports (org_id, id) ON DELETE CASCADE
);

-- What an import did to each record: what undoing it needs. No foreign key, which would cost as much as the row: an
-- import that changed anything goes with its organization only, and whoever deletes that deletes these too.
CREATE TABLE import_changes (
    org_id       UUID NOT NULL,
    import_id    UUID NOT NULL,
    record_id    UUID NOT NULL, -- a lead or deal, by the import's kind
    line         BIGINT NOT NULL, -- of the first row that created or changed it
    version      BIGINT NOT NULL, -- of the record after the import, or after it was undone
    previous     BYTEA, -- CBOR of the record before the import; NULL when the import created it
    is_restored  BOOLEAN NOT NULL, -- whether the record is again what it was before
    kept_because TEXT, -- why undoing the import left the record as it is
    PRIMARY KEY (org_id, import_id, record_id)
);

CREATE INDEX import_changes_kept ON import_changes (org_id, import_id, line, record_id) WHERE kept_because IS NOT NULL;

-- Row-level security; its subqueries are asked once for a statement instead of for each row. Every transaction takes one of two roles: `flowcrm_app` sees the organization that the
-- transaction names, `flowcrm_system` sees what belongs to none. Roles belong to the cluster, so another database may
-- have made them already, even at this very moment.
DO $$
DECLARE
    wanted TEXT;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['flowcrm_app', 'flowcrm_system'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        IF NOT pg_has_role(current_user, wanted, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        END IF;
    END LOOP;
END
$$;

DO $$
DECLARE
    tenant_table TEXT;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO flowcrm_app, flowcrm_system', current_schema());
    FOREACH tenant_table IN ARRAY ARRAY[
        'users', 'leads', 'activities', 'deals', 'tasks', 'notifications', 'events', 'audit_entries', 'answers',
        'imports', 'import_batches', 'import_rejections', 'import_keys', 'import_foreseen',
        'import_changes', 'sessions', 'accounts', 'lead_terms', 'deal_terms',
        'task_terms', 'figures'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format(
            'CREATE POLICY own_organization ON %I TO flowcrm_app
             USING (org_id = (SELECT NULLIF(current_setting(''flowcrm.org_id'', true), '''')::uuid))',
            tenant_table
        );
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO flowcrm_app', tenant_table);
    END LOOP;
END
$$;

-- The logs are written once.
REVOKE UPDATE, DELETE ON events, audit_entries FROM flowcrm_app;

ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON organizations TO flowcrm_app
    USING (id = (SELECT NULLIF(current_setting('flowcrm.org_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON organizations TO flowcrm_app;

-- What the system role may see of tenants: organizations for platform operators, the accounts and sessions that
-- sign-ins begin with, which imports wait, of words and of what
-- imports changed whose they are, and which answers have been kept long enough.
CREATE POLICY every_organization ON organizations TO flowcrm_system USING (true);
CREATE POLICY every_organization ON accounts FOR SELECT TO flowcrm_system USING (true);
CREATE POLICY every_organization ON sessions FOR SELECT TO flowcrm_system USING (true);
CREATE POLICY every_organization ON imports FOR SELECT TO flowcrm_system USING (true);
CREATE POLICY kept_long_enough ON answers TO flowcrm_system USING (created_at < now() - INTERVAL '24 hours');
GRANT SELECT, DELETE ON organizations TO flowcrm_system;
CREATE POLICY every_organization ON lead_terms TO flowcrm_system USING (true);
CREATE POLICY every_organization ON deal_terms TO flowcrm_system USING (true);
CREATE POLICY every_organization ON task_terms TO flowcrm_system USING (true);
CREATE POLICY every_organization ON import_changes TO flowcrm_system USING (true);
GRANT DELETE, SELECT (org_id) ON lead_terms, deal_terms, task_terms, import_changes TO flowcrm_system;
GRANT SELECT (email_key, org_id, user_id) ON accounts TO flowcrm_system;
GRANT SELECT (id, org_id, user_id) ON sessions TO flowcrm_system;
GRANT DELETE, SELECT (org_id, user_id, key, created_at) ON answers TO flowcrm_system;
GRANT SELECT (org_id, id, is_staged, state, lease_until, created_at) ON imports TO flowcrm_system;
ALTER TABLE sign_in_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_log FORCE ROW LEVEL SECURITY;
CREATE POLICY system_only ON sign_in_log TO flowcrm_system USING (true);
GRANT SELECT, INSERT, DELETE ON sign_in_log TO flowcrm_system;
ALTER TABLE operator_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE operator_log FORCE ROW LEVEL SECURITY;
CREATE POLICY system_only ON operator_log TO flowcrm_system USING (true);
GRANT SELECT, INSERT ON operator_log TO flowcrm_system;

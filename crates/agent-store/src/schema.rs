//! The tables as the migrations make them, in portable types only.

diesel::table! {
    tenants (id) {
        id -> BigInt,
        name -> Text,
        name_folded -> Text,
        created_at -> BigInt,
        repository_roots -> Nullable<Text>,
    }
}

diesel::table! {
    memberships (tenant_id, user_id) {
        tenant_id -> BigInt,
        user_id -> BigInt,
        role -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        username -> Text,
        username_folded -> Text,
        disabled -> Bool,
        tokens_valid_after -> BigInt,
        created_at -> BigInt,
        password_hash -> Text,
        home_tenant_id -> BigInt,
        operator -> Bool,
        password_expires_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    api_keys (id) {
        id -> BigInt,
        owner_id -> BigInt,
        public_id -> Text,
        secret_hash -> Binary,
        name -> Text,
        scopes -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        tenant_id -> BigInt,
        made_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    refresh_tokens (token_hash) {
        token_hash -> Binary,
        user_id -> BigInt,
        family -> Text,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
        revoked -> Bool,
        tenant_id -> BigInt,
    }
}

diesel::table! {
    plans (id) {
        id -> BigInt,
        owner_id -> BigInt,
        status -> Text,
        auto_execute -> Bool,
        cancel_requested -> Bool,
        revision -> BigInt,
        next_seq -> BigInt,
        lease_owner -> Nullable<Text>,
        lease_generation -> BigInt,
        lease_expires_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
        started_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
        template_id -> Nullable<Text>,
        policy -> Text,
        repo_path -> Text,
        goal -> Text,
        summary -> Nullable<Text>,
        version -> BigInt,
        tenant_id -> BigInt,
    }
}

diesel::table! {
    tasks (id) {
        id -> BigInt,
        plan_id -> BigInt,
        position -> Nullable<BigInt>,
        status -> Text,
        selected -> Bool,
        attempts -> BigInt,
        attempt_limit -> BigInt,
        recoveries -> BigInt,
        approved -> Bool,
        wake_at -> Nullable<BigInt>,
        started_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
        result_blob -> Nullable<Binary>,
        kind -> Text,
        priority -> Text,
        description -> Text,
        spec -> Text,
        result -> Nullable<Text>,
        kept -> Nullable<Text>,
        error -> Nullable<Text>,
        questions -> BigInt,
        tenant_id -> BigInt,
    }
}

diesel::table! {
    attempts (task_id, attempt) {
        task_id -> BigInt,
        attempt -> BigInt,
        plan_id -> BigInt,
        status -> Text,
        started_at -> BigInt,
        finished_at -> Nullable<BigInt>,
        result_length -> BigInt,
        tokens -> BigInt,
        error -> Nullable<Text>,
        tenant_id -> BigInt,
        cursor -> BigInt,
    }
}

diesel::table! {
    analytics_overviews (tenant_id) {
        tenant_id -> BigInt,
        cursor -> BigInt,
        overview -> Text,
    }
}

diesel::table! {
    analytics_rollups (tenant_id, dimension, subject) {
        tenant_id -> BigInt,
        dimension -> Text,
        subject -> Text,
        figures -> Text,
    }
}

diesel::table! {
    steps (plan_id, task_id, attempt, position) {
        plan_id -> BigInt,
        task_id -> BigInt,
        attempt -> BigInt,
        position -> BigInt,
        kind -> Text,
        name -> Text,
        effect -> Text,
        status -> Nullable<Text>,
        input_tokens -> BigInt,
        output_tokens -> BigInt,
        started_at -> BigInt,
        finished_at -> Nullable<BigInt>,
        input -> Text,
        prepared -> Text,
        output -> Nullable<Text>,
        output_blob -> Nullable<Binary>,
        tenant_id -> BigInt,
    }
}

diesel::table! {
    blobs (hash) {
        hash -> Binary,
        size -> BigInt,
        content -> Text,
    }
}

diesel::table! {
    plan_versions (plan_id, version) {
        plan_id -> BigInt,
        version -> BigInt,
        created_at -> BigInt,
        author -> Nullable<Text>,
        changes -> Text,
        definition -> Text,
        tenant_id -> BigInt,
    }
}

diesel::table! {
    approvals (id) {
        id -> BigInt,
        plan_id -> BigInt,
        task_id -> BigInt,
        sequence -> BigInt,
        attempt -> Nullable<BigInt>,
        call -> Nullable<BigInt>,
        requested_at -> BigInt,
        expires_at -> BigInt,
        decided_at -> Nullable<BigInt>,
        kind -> Text,
        risk -> Text,
        on_expiry -> Text,
        decision -> Nullable<Text>,
        decided_by -> Nullable<Text>,
        args_hash -> Text,
        scope_hash -> Text,
        subject -> Text,
        reason -> Nullable<Text>,
        note -> Nullable<Text>,
        rule -> Nullable<Text>,
        covers -> Text,
        tenant_id -> BigInt,
    }
}

diesel::table! {
    executions (id) {
        id -> BigInt,
        plan_id -> BigInt,
        task_id -> Nullable<BigInt>,
        requested_at -> BigInt,
        tenant_id -> BigInt,
    }
}

diesel::table! {
    idempotency_keys (owner_id, tenant_id, key) {
        tenant_id -> BigInt,
        owner_id -> BigInt,
        key -> Text,
        fingerprint -> Text,
        resource -> Text,
        resource_id -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    events (cursor) {
        cursor -> BigInt,
        plan_id -> BigInt,
        seq -> BigInt,
        owner_id -> BigInt,
        task_id -> Nullable<BigInt>,
        created_at -> BigInt,
        name -> Text,
        result_blob -> Nullable<Binary>,
        payload -> Text,
        tenant_id -> BigInt,
    }
}

diesel::table! {
    messages (id) {
        id -> BigInt,
        owner_id -> BigInt,
        plan_id -> Nullable<BigInt>,
        role -> Text,
        created_at -> BigInt,
        content -> Text,
        tenant_id -> BigInt,
    }
}

diesel::table! {
    audit_chains (tenant_id) {
        tenant_id -> BigInt,
        first_sequence -> BigInt,
        first_previous_hash -> Binary,
        head_sequence -> BigInt,
        head_hash -> Binary,
    }
}

diesel::table! {
    audit_records (tenant_id, sequence) {
        tenant_id -> BigInt,
        sequence -> BigInt,
        recorded_at -> BigInt,
        actor_kind -> Text,
        user_id -> Nullable<BigInt>,
        username -> Nullable<Text>,
        key_id -> Nullable<BigInt>,
        on_behalf_of -> Nullable<Text>,
        source -> Nullable<Text>,
        action -> Text,
        resource -> Nullable<Text>,
        outcome -> Text,
        status -> BigInt,
        code -> Nullable<Text>,
        request_id -> Nullable<Text>,
        details -> Text,
        previous_hash -> Binary,
        hash -> Binary,
    }
}

diesel::table! {
    webhooks (id) {
        id -> BigInt,
        tenant_id -> BigInt,
        owner_id -> BigInt,
        cursor -> BigInt,
        generation -> BigInt,
        claimed_at -> BigInt,
        claimed_until -> Nullable<BigInt>,
        disabled_reason -> Nullable<Text>,
        failures -> BigInt,
        failing_since -> Nullable<BigInt>,
        next_attempt_at -> Nullable<BigInt>,
        created_at -> BigInt,
        secret -> Text,
        previous_secret -> Nullable<Text>,
        previous_secret_until -> Nullable<BigInt>,
        events -> Text,
        url -> Text,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    templates (id) {
        id -> BigInt,
        tenant_id -> BigInt,
        owner_id -> BigInt,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        size -> BigInt,
        slug -> Text,
        author -> Text,
    }
}

diesel::table! {
    template_versions (template_id, version) {
        template_id -> BigInt,
        version -> BigInt,
        tenant_id -> BigInt,
        created_at -> BigInt,
        author -> Text,
        document -> Text,
    }
}

diesel::table! {
    identity (id) {
        id -> Text,
    }
}

diesel::joinable!(approvals -> plans (plan_id));
diesel::joinable!(approvals -> tasks (task_id));
diesel::joinable!(attempts -> tasks (task_id));
diesel::joinable!(events -> blobs (result_blob));
diesel::joinable!(steps -> blobs (output_blob));
diesel::joinable!(tasks -> blobs (result_blob));
diesel::allow_tables_to_appear_in_same_query!(approvals, attempts, blobs, plans, tasks);
diesel::allow_tables_to_appear_in_same_query!(blobs, events);
diesel::allow_tables_to_appear_in_same_query!(blobs, steps);
diesel::joinable!(memberships -> tenants (tenant_id));
diesel::joinable!(memberships -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(plans, steps);
diesel::allow_tables_to_appear_in_same_query!(memberships, tenants, users);
diesel::allow_tables_to_appear_in_same_query!(events, webhooks);
diesel::allow_tables_to_appear_in_same_query!(memberships, webhooks);
diesel::allow_tables_to_appear_in_same_query!(users, webhooks);
diesel::allow_tables_to_appear_in_same_query!(template_versions, templates);

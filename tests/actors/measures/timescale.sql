-- What of TimescaleDB the sink asks for, with the parameters that its own functions have, and as
-- strict: a stand-in in a schema of its own, entered as an extension.
CREATE SCHEMA IF NOT EXISTS "Time Scale";
CREATE TABLE "Time Scale".hypertables (relation regclass PRIMARY KEY, time_column name);
CREATE TABLE "Time Scale".policies (relation regclass PRIMARY KEY, drop_after interval);
CREATE TYPE "Time Scale".dimension_info AS (column_name name);

CREATE FUNCTION "Time Scale".create_hypertable(
    relation regclass,
    time_column_name name,
    partitioning_column name = NULL,
    number_partitions integer = NULL,
    associated_schema_name name = NULL,
    associated_table_prefix name = NULL,
    chunk_time_interval anyelement = NULL::bigint,
    create_default_indexes boolean = TRUE,
    if_not_exists boolean = FALSE,
    partitioning_func regproc = NULL,
    migrate_data boolean = FALSE,
    chunk_target_size text = NULL,
    chunk_sizing_func regproc = NULL,
    time_partitioning_func regproc = NULL
) RETURNS TABLE (hypertable_id int, schema_name name, table_name name, created bool)
LANGUAGE plpgsql AS $$
DECLARE
    rows bigint;
BEGIN
    IF EXISTS (SELECT 1 FROM "Time Scale".hypertables h WHERE h.relation = $1) THEN
        IF NOT if_not_exists THEN
            RAISE EXCEPTION 'table is already a hypertable' USING ERRCODE = 'TS110';
        END IF;
        RETURN QUERY SELECT 1, 'public'::name, $1::text::name, FALSE;
        RETURN;
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM pg_attribute a WHERE a.attrelid = $1 AND a.attname = $2
        AND a.atttypid = 'timestamptz'::regtype AND a.attnotnull
    ) THEN
        RAISE EXCEPTION 'column does not exist' USING ERRCODE = 'undefined_column';
    END IF;
    IF EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = $1 AND i.indisunique) THEN
        RAISE EXCEPTION 'cannot create a unique index without the column' USING ERRCODE = 'TS103';
    END IF;
    EXECUTE format('SELECT count(*) FROM %s', $1) INTO rows;
    IF rows > 0 AND NOT migrate_data THEN
        RAISE EXCEPTION 'table is not empty' USING ERRCODE = 'feature_not_supported';
    END IF;
    INSERT INTO "Time Scale".hypertables VALUES ($1, $2);
    RETURN QUERY SELECT 1, 'public'::name, $1::text::name, TRUE;
END $$;

CREATE FUNCTION "Time Scale".create_hypertable(
    relation regclass,
    dimension "Time Scale".dimension_info,
    create_default_indexes boolean = TRUE,
    if_not_exists boolean = FALSE,
    migrate_data boolean = FALSE
) RETURNS TABLE (hypertable_id int, created bool)
LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the other function was meant'; END $$;

CREATE FUNCTION "Time Scale".add_retention_policy(
    relation regclass,
    drop_after interval,
    if_not_exists boolean = FALSE,
    schedule_interval interval = NULL,
    initial_start timestamptz = NULL,
    timezone text = NULL
) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM "Time Scale".hypertables h WHERE h.relation = $1) THEN
        RAISE EXCEPTION 'it is not a hypertable' USING ERRCODE = 'TS001';
    END IF;
    IF EXISTS (SELECT 1 FROM "Time Scale".policies p WHERE p.relation = $1) THEN
        IF NOT if_not_exists THEN
            RAISE EXCEPTION 'retention policy already exists' USING ERRCODE = 'duplicate_object';
        END IF;
        RETURN -1;
    END IF;
    INSERT INTO "Time Scale".policies VALUES ($1, $2);
    RETURN 1000;
END $$;

CREATE FUNCTION "Time Scale".remove_retention_policy(
    relation regclass, if_exists boolean = FALSE
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM "Time Scale".policies p WHERE p.relation = $1;
    IF NOT FOUND AND NOT if_exists THEN
        RAISE EXCEPTION 'no policy' USING ERRCODE = 'undefined_object';
    END IF;
END $$;

SET allow_system_table_mods = on;
INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
SELECT 77777, 'timescaledb', r.oid, n.oid, FALSE, '2.17.2'
FROM pg_roles r, pg_namespace n WHERE r.rolname = current_user AND n.nspname = 'Time Scale';

-- Which words the goals of plans and the contents of messages have. Signs are blanks, so that no part of a text is taken for
-- an address, a path or a number with its sign. Case is folded by the rules of Unicode whatever the locale of the database,
-- where the server knows them (it is built with ICU nearly everywhere), else by that locale.
DO $$
DECLARE
    folding TEXT := CASE
        WHEN EXISTS (SELECT FROM pg_catalog.pg_collation WHERE collname = 'und-x-icu') THEN ' COLLATE "und-x-icu"'
        ELSE ''
    END;
BEGIN
    EXECUTE format(
        'CREATE FUNCTION words_of(document TEXT) RETURNS TSVECTOR LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %L',
        format(
            'SELECT to_tsvector(''pg_catalog.simple''::regconfig, translate(lower(left($1, 100000)%s), %L, repeat('' '', 45)))',
            folding,
            '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~–—…“”„‘’«»¡¿·'
        )
    );
END
$$;

-- Kept as columns, since row-level security keeps a search from an index unless the role may bypass it: then the words of each
-- row of the owner or tenant are looked at.
ALTER TABLE plans ADD COLUMN words TSVECTOR GENERATED ALWAYS AS (words_of(goal)) STORED;
ALTER TABLE messages ADD COLUMN words TSVECTOR GENERATED ALWAYS AS (words_of(content)) STORED;

CREATE INDEX plans_by_words ON plans USING gin (words);
CREATE INDEX messages_by_words ON messages USING gin (words);

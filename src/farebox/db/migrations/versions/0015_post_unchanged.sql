-- Which envelopes apply to what: the revision rises whenever that may have become another.
CREATE TABLE envelope_book (
    revision bigint NOT NULL,
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row)
);
INSERT INTO envelope_book (revision) VALUES (1);

CREATE FUNCTION bump_envelope_book() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE envelope_book SET revision = revision + 1;
    RETURN NULL;
END $$;

CREATE TRIGGER envelopes_revision AFTER INSERT OR DELETE OR UPDATE OF scope, owner, deleted_at ON envelopes
    FOR EACH STATEMENT EXECUTE FUNCTION bump_envelope_book();

-- The function that uses it comes with 0018: it has another signature since 0016.

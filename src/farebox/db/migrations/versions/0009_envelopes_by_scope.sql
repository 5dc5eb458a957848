-- Charges look envelopes up by owner and scope: another index on the owner was as good as that one to a plan that was
-- made while there were few, and ruinous with many.
DROP INDEX envelopes_owner;
CREATE INDEX envelopes_organization ON envelopes (organization_id, id DESC);

-- When a key was last used: for people who tidy up.
ALTER TABLE api_keys ADD COLUMN last_used_at timestamptz;

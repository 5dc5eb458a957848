"""The OpenAPI document: made from the routes and the wire types that the server itself answers with (ADR 0010)."""

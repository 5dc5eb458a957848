"""The one settings object: read from the environment at the edge, frozen, passed down.

Every field is set by `FAREBOX_<NAME>`; `docs/settings.md` lists them, and a test compares the two.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta, Struct

PREFIX = "FAREBOX_"
SECRETS = ("admin_key", "secret_key", "database_url", "migration_url", "redis_url", "events_url")
"""Never shown."""


def default_data_dir() -> str:
    """`/var/lib/farebox` for root (PostgreSQL runs as a user of its own there), else under the home directory."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return "/var/lib/farebox"
    return str(Path.home() / ".local" / "share" / "farebox")


def _doc(text: str, **limits: Any) -> Meta:
    return Meta(description=text, **limits)


Port = Annotated[int, Meta(ge=0, le=65535)]


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How this server runs. Durations end in `_s` and are seconds, sizes in `_bytes`."""

    host: Annotated[str, _doc("Address to listen on. The default is reachable from this machine only.")] = "127.0.0.1"
    port: Annotated[Port, _doc("TCP port to listen on; 0 takes a free one.")] = 8080
    workers: Annotated[int, _doc("Server processes on the one port.", ge=1, le=64)] = 1
    data_dir: Annotated[str, _doc("Where the embedded database and the generated secret key live.")] = msgspec.field(
        default_factory=default_data_dir
    )
    database_url: Annotated[
        str, _doc("PostgreSQL 15 or later (`postgresql://…`). Empty: an embedded one under the data directory.")
    ] = ""
    migration_url: Annotated[
        str, _doc("The same database as its owner, for migrations, where `database_url` is a lesser role.")
    ] = ""
    database_wait_s: Annotated[float, _doc("How long a start waits for a database that does not answer yet.", ge=0)] = (
        30.0
    )
    statement_cache: Annotated[
        int, _doc("Prepared statements kept per connection. 0 for pgbouncer before 1.21.", ge=0, le=10_000)
    ] = 256
    read_connections: Annotated[int, _doc("Connections for everything but the ledger.", ge=1, le=500)] = 8
    admin_key: Annotated[
        str, _doc("The administrator's key (at least 24 characters). Unset: made at the first start, shown once.")
    ] = ""
    secret_key: Annotated[
        str,
        _doc(
            "64 hexadecimal digits that session tokens and cursors are derived with; the same on every node. "
            "Unset: made at the first start and kept in the data directory."
        ),
    ] = ""
    writers: Annotated[
        int,
        _doc(
            "Ledger connections, shared out to the workers, at least one each; wallets are spread over them.",
            ge=1,
            le=16,
        ),
    ] = 2
    batch_items: Annotated[int, _doc("The most asks in one transaction.", ge=1, le=2048)] = 512
    queue_items: Annotated[int, _doc("The most asks that wait for a writer; beyond that, 503.", ge=1)] = 10_000
    deadline_s: Annotated[float, _doc("How long an ask waits for its outcome before it is answered 503.", gt=0)] = 10.0
    max_body_bytes: Annotated[int, _doc("Largest request body; beyond that, 413.", ge=1024)] = 1_048_576
    max_header_bytes: Annotated[int, _doc("Largest request head; beyond that, 431.", ge=1024)] = 32_768
    head_timeout_s: Annotated[float, _doc("How long a client may take to send a request's head.", gt=0)] = 15.0
    body_timeout_s: Annotated[float, _doc("How long a client may take to send a request's body.", gt=0)] = 30.0
    idle_timeout_s: Annotated[
        int,
        _doc("How long a connection is kept open that is idle, or whose client takes nothing of what is sent.", ge=1),
    ] = 75
    max_connections: Annotated[int, _doc("Open connections per process; beyond that, 503.", ge=1)] = 20_000
    requests_per_key_s: Annotated[
        float, _doc("Requests per second that one API key or person may make in one process; 0 sets no bound.", ge=0)
    ] = 0
    polls_per_user_s: Annotated[
        float, _doc("Status calls per second for one user of one provider; bursts of twice a second's worth.", gt=0)
    ] = 20.0
    failures_per_address_s: Annotated[
        float, _doc("Failed authentications per second from one address (of IPv6, one /64) before 429.", gt=0)
    ] = 10.0
    trusted_proxies: Annotated[
        str, _doc("Addresses of proxies, comma-separated, whose X-Forwarded-For and -Proto are believed.")
    ] = ""
    connection_request_ttl_s: Annotated[int, _doc("How long a scanned QR code can be answered.", ge=1)] = 600
    ended_session_visible_s: Annotated[
        int, _doc("How long the status call says `expired` after a session's end, before `not_found`.", ge=0)
    ] = 60
    hold_ttl_s: Annotated[int, _doc("How long a hold lasts where the caller names no time.", ge=1, le=604_800)] = 900
    initial_credit_usd: Annotated[
        str, _doc("What a new person's wallet starts with, in USD with up to 6 decimals.")
    ] = "0"
    password_threads: Annotated[
        int, _doc("Passwords that are hashed at once in one process, 19 MiB each; 0: one a core.", ge=0, le=64)
    ] = 0
    credential_memory_s: Annotated[
        float,
        _doc("How long a verified password is remembered, by a keyed hash; 0: verified on every call.", ge=0),
    ] = 300.0
    failures_per_person_s: Annotated[
        float, _doc("Wrong passwords per second for one person from one network before 429; bursts of 10.", gt=0)
    ] = 0.5
    sign_ups_per_address_s: Annotated[
        float,
        _doc(
            "New people per second from one address (of IPv6, one /64) before 429; bursts of 10; 0 sets no bound.", ge=0
        ),
    ] = 0.2
    browser_session_ttl_s: Annotated[
        int, _doc("How long somebody stays signed in with a browser.", ge=60, le=31_536_000)
    ] = 604_800
    plain_http: Annotated[
        bool,
        _doc(
            "Let people sign in over plain HTTP from other machines, with a cookie that a network can read. On this "
            "machine (`localhost`) they always can."
        ),
    ] = False
    transaction_ttl_s: Annotated[
        int, _doc("How long a transaction between people can be confirmed.", ge=1, le=604_800)
    ] = 900
    delegation_ttl_s: Annotated[
        int, _doc("How long a delegation token lasts where the payer names no time.", ge=1, le=31_536_000)
    ] = 86_400
    credits_provider: Annotated[
        str, _doc("The provider in whose name organizations' own usage is priced and earned; made when first needed.")
    ] = "house"
    free_trial_usd: Annotated[
        str, _doc("The most that an organization's own key can take as its free trial, once; 0 for none.")
    ] = "50"
    tokenvault_open: Annotated[
        bool, _doc("Serve the TokenVault dialect to callers without a key. Only where the network is trusted.")
    ] = False
    redis_url: Annotated[
        str,
        _doc(
            "Redis that usage records come in by: `redis://`, `rediss://`, `unix://`, `redis+cluster://host:port,…`, "
            "`redis+sentinel://host:port,…/service`. Empty: none."
        ),
    ] = ""
    ingest_stream: Annotated[str, _doc("The Redis stream of usage records.")] = "usage_records"
    ingest_group: Annotated[str, _doc("The consumer group that books them.")] = "farebox"
    ingest_consumers: Annotated[int, _doc("Consumers per process.", ge=1, le=64)] = 4
    ingest_batch: Annotated[int, _doc("The most records that a consumer reads at once.", ge=1, le=5000)] = 500
    ingest_claim_idle_s: Annotated[
        float, _doc("How long a record is left to the consumer that has read it, before another one claims it.", gt=0)
    ] = 30.0
    events_url: Annotated[
        str,
        _doc(
            "The database's own address, for listening to what changes, where `database_url` is a pooler's that can't. "
            "Empty: `database_url`."
        ),
    ] = ""
    max_streams: Annotated[int, _doc("Open event streams per process; beyond that, 503.", ge=0)] = 10_000
    heartbeat_s: Annotated[float, _doc("How long a stream is silent before it shows that it lives.", gt=0)] = 15.0
    ticket_ttl_s: Annotated[
        int, _doc("How long a ticket opens a stream: what a browser shows in place of a key.", ge=1, le=86_400)
    ] = 300
    cors_origins: Annotated[
        str, _doc("Origins, comma-separated, whose pages may call this server from a browser. Empty: none.")
    ] = ""
    outbox_keep_s: Annotated[int, _doc("How long events are kept that nobody was there to be told of.", ge=60)] = 86_400
    sweep_interval_s: Annotated[float, _doc("How often expired holds are freed and balances folded.", gt=0)] = 5.0
    default_prices: Annotated[
        Literal["genai-prices", "none"], _doc("The price book that an empty database starts with.")
    ] = "genai-prices"
    allow_unsafe_database: Annotated[
        bool, _doc("Start although the database may lose acknowledged writes (fsync, full_page_writes, …).")
    ] = False
    log_format: Annotated[Literal["console", "json"], _doc("Log lines for people or for machines.")] = "console"
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _doc("The least important line shown.")] = "info"


_CREDIT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)


class BadSetting(ValueError):
    """A setting that can't be used; the text says which one and what it takes."""


def from_env(environ: Mapping[str, str], **given: Any) -> Settings:
    """Settings from `FAREBOX_*` variables; `given` (such as command line options) wins where it is not None."""
    known = get_type_hints(Settings)
    values: dict[str, Any] = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX):
            continue
        name = variable[len(PREFIX) :].lower()
        if name in known:
            values[name] = value
        elif name not in CLIENT_VARIABLES:
            raise BadSetting(f"{variable} is not a setting; docs/settings.md lists them")
    values |= {name: value for name, value in given.items() if value is not None}
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise BadSetting(f"{error} (environment: {PREFIX}…)") from None
    return _checked(settings)


CLIENT_VARIABLES = ("url", "key")
"""`FAREBOX_URL` and `FAREBOX_KEY` tell the command line where a server is; they are no settings of one."""


def _checked(settings: Settings) -> Settings:
    if settings.admin_key and len(settings.admin_key) < 24:
        raise BadSetting("FAREBOX_ADMIN_KEY needs at least 24 characters")
    if _CREDIT.fullmatch(settings.initial_credit_usd) is None:
        raise BadSetting("FAREBOX_INITIAL_CREDIT_USD is an amount such as 5 or 0.25, with at most 6 decimals")
    if settings.secret_key:
        try:
            long_enough = len(bytes.fromhex(settings.secret_key)) >= 32
        except ValueError:
            long_enough = False
        if not long_enough:
            raise BadSetting("FAREBOX_SECRET_KEY needs at least 64 hexadecimal digits")
    if _CREDIT.fullmatch(settings.free_trial_usd) is None:
        raise BadSetting("FAREBOX_FREE_TRIAL_USD is an amount such as 50 or 12.50")
    return settings

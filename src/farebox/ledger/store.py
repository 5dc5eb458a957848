"""The ledger's one transaction: lock and load, decide, write, commit."""

import copy
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from asyncpg import Connection, Record
from asyncpg.pool import PoolConnectionProxy

from farebox.db import queries
from farebox.ledger import limits
from farebox.ledger.batch import Batch, Movement, Rows, reference_fingerprint
from farebox.ledger.envelopes import EnvelopeFacts, Stopped, told
from farebox.ledger.standing import Standing
from farebox.ledger.types import (
    Ask,
    Capture,
    ChargeFacts,
    Deposit,
    Draw,
    Facts,
    GrantFacts,
    Hold,
    HoldFacts,
    Outcome,
    Refund,
    Refusal,
    Release,
    StoredOutcome,
    WalletFacts,
)
from farebox.ledger.types import Record as RecordAsk
from farebox.ledger.waiting import wallets_of

_SQL = queries.load("farebox.ledger")
_LOOK = msgspec.structs.replace(
    _SQL.lock_and_load, sql=re.sub(r"FOR NO KEY UPDATE( OF \w+)?", "", _SQL.lock_and_load.sql)
)
_encoder = msgspec.json.Encoder()
_read_envelope = msgspec.json.Decoder(EnvelopeFacts).decode
_read_stopped = msgspec.json.Decoder(Stopped).decode
_FINGERPRINT_BYTES = 16
FREED_AT_ONCE = 2048
"""The most expired holds that are freed with a batch: beside the most asks, they have room in its 4096 ids."""
# A row that somebody else keeps locked must not stop everybody: the batch fails, and goes on without that wallet.
# A process that is frozen in the middle of a batch, or cut off, must not keep its wallets locked: PostgreSQL ends it.
# One plan for all batches: to make one costs more than to run it. It is made when a statement is first run, on a young
# database for tables that are nearly empty: reading them whole is cheap then, and ruinous a minute later. So nothing
# else is planned than looking up by keys: every table that grows is bounded by keys, or looked up row by row (LATERAL).
_BEGIN = """BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL plan_cache_mode = force_generic_plan;
SET LOCAL enable_seqscan = off; SET LOCAL enable_nestloop = off; SET LOCAL enable_mergejoin = off;
SET LOCAL lock_timeout = '2s'; SET LOCAL idle_in_transaction_session_timeout = '5s'"""


class CommitUnknown(Exception):
    """The connection was lost while COMMIT was on its way: it may or may not have happened (RULES 11)."""

    def __init__(self, ids: range) -> None:
        super().__init__()
        self.ids = ids
        """The transfers that were written, if they were."""


class BrokenInvariant(Exception):
    """The books do not hold together: the batch is rolled back, and somebody has to look (RULES 4)."""


async def post(
    conn: "Connection[Record]",
    asks: Sequence[Ask],
    follows: Callable[[], bool] = lambda: False,
    standing: Standing | None = None,
) -> list[Outcome]:
    """Decides and writes a batch in one transaction; the outcomes are in the order of the asks.

    Where another batch `follows` at once, its transaction is begun with the end of this one: a round trip saved at a
    time when the event loop is busy with answers. Whoever then does not post lets go of it (`let_go`).
    What is committed is told to `standing`.

    Raises CommitUnknown when the connection is lost during COMMIT: post the same asks again, their keys
    tell. Anything else that is raised, by asyncpg or here, has changed nothing.
    """
    if not conn.is_in_transaction():
        await conn.execute(_BEGIN)
    try:
        draws = draws_of(asks)
        facts, due = await _locked(conn, asks, draws)
        batch = Batch(facts)
        if due:
            batch.free_due_holds(due)
        outcomes = [batch.decide(ask) for ask in asks]
        version = await _write(conn, facts, batch.rows) if batch.rows.transfers else 0
    except Exception:
        if not conn.is_closed():
            await conn.execute("ROLLBACK")
        raise  # a cancelled batch is not rolled back here: its connection may never answer, and is given up
    next_one = f";\n{_BEGIN}" if follows() else ""
    if not batch.rows.transfers:
        await conn.execute("ROLLBACK" + next_one)
        return outcomes
    try:
        await conn.execute("COMMIT" + next_one)
    except BaseException as error:
        raise CommitUnknown(range(facts.first_id, facts.first_id + len(batch.rows.transfers))) from error
    if standing is not None:
        standing.keep(facts, batch.rows, draws, version)
    return outcomes


async def _locked(conn: "Connection[Record]", asks: Sequence[Ask], draws: Sequence[Draw]) -> tuple[Facts, list[int]]:
    """The facts of a batch under its locks, and the holds to free with it; what is more than fits is freed before."""
    if any(type(ask) is Refund for ask in asks):
        await _SQL.lock_wallets.run(conn, wallet_ids={wallet for ask in asks for wallet in wallets_of(ask)})
    facts, due = read_rows(await _load(conn, asks, draws), draws)
    while len(due) > FREED_AT_ONCE:
        batch = Batch(facts)
        batch.free_due_holds(due[:FREED_AT_ONCE])
        await _write(conn, facts, batch.rows)
        await conn.execute(f"COMMIT;\n{_BEGIN}")
        facts, due = read_rows(await _load(conn, asks, draws), draws)
    return facts, due


async def look(conn: "Connection[Record] | PoolConnectionProxy[Record]", ask: Ask) -> tuple[Outcome, Facts]:
    """What would become of an ask, and the facts that decide it: by the same statement without its locks.

    Writes nothing and waits for nobody; a moment later the outcome may be another.
    """
    draws = draws_of([ask])
    facts, due = read_rows(await _load(conn, [ask], draws, _LOOK), draws)
    batch = Batch(facts)
    batch.free_due_holds(due)
    standing = copy.deepcopy(facts)
    return batch.decide(ask), standing


async def let_go(conn: "Connection[Record]") -> None:
    """Ends a transaction that was begun for a batch that did not come."""
    if conn.is_in_transaction():
        await conn.execute("ROLLBACK")


async def locked_elsewhere(
    conn: "Connection[Record]", wallet_ids: Iterable[int], grant_ids: Iterable[int | None]
) -> list[int]:
    """Those of the wallets that another session keeps locked: as a whole, a grant or a limit of theirs. Waits not."""
    rows = await _SQL.locked_elsewhere.all(
        conn, wallet_ids=set(wallet_ids), grant_ids={grant for grant in grant_ids if grant is not None}
    )
    return [row["wallet_id"] for row in rows]


def draws_of(asks: Sequence[Ask]) -> list[Draw]:
    """What is drawn on, each once."""
    return list({draw: None for ask in asks if (draw := limits.draw_of(ask)) is not None})


async def _load(
    conn: "Connection[Record] | PoolConnectionProxy[Record]",
    asks: Sequence[Ask],
    draws: Sequence[Draw],
    statement: queries.Query = _SQL.lock_and_load,
) -> list[Record]:
    refunds = {(ask.wallet_id, ask.charge_id) for ask in asks if type(ask) is Refund}
    deposits = [ask for ask in asks if type(ask) is Deposit and ask.reference is not None]
    return await statement.all(
        conn,
        **named_by(asks, draws),
        **askers_of(asks),
        charge_wallets=[wallet for wallet, _ in refunds],
        charge_ids=[charge for _, charge in refunds],
        clients=[ask.client for ask in asks],
        keys=[ask.key for ask in asks],
        source_accounts=[ask.source_account for ask in deposits],
        refs=[ask.reference for ask in deposits],
    )


def named_by(asks: Sequence[Ask], draws: Sequence[Draw]) -> dict[str, Any]:
    """What asks are decided on, by the keys that they name it by."""
    wallets: set[int] = set()
    grants: set[int] = set()
    holds: set[tuple[int, int]] = set()
    for ask in asks:
        wallets.update(wallets_of(ask))
        grant_id: int | None = getattr(ask, "grant_id", None)
        if grant_id is not None:
            grants.add(grant_id)
        if type(ask) is Hold:
            grants.update(ask.lineage)
        elif type(ask) is Capture or type(ask) is Release:
            grants.update(ask.lineage)
            holds.add((ask.wallet_id, ask.hold_id))
    return {
        "wallet_ids": wallets,
        "grant_ids": grants,
        "hold_wallets": [wallet for wallet, _ in holds],
        "hold_ids": [hold for _, hold in holds],
        "envelope_ids": {ask.envelope_id for ask in asks if type(ask) is RecordAsk},
        "draw_wallets": [wallet for wallet, _, _, _ in draws],
        "draw_grants": [grant for _, grant, _, _ in draws],
        "draw_providers": [provider for _, _, provider, _ in draws],
        "draw_models": [model for _, _, _, model in draws],
    }


def askers_of(asks: Sequence[Ask]) -> dict[str, Any]:
    """What callers proved who they are with, each once: keys, and the versions of people's passwords, by person."""
    people = sorted({ask.person for ask in asks if ask.credential_id is None and ask.person is not None})
    return {
        "credential_ids": {ask.credential_id for ask in asks if ask.credential_id is not None},
        "person_ids": [person for person, _ in people],
        "person_versions": [version for _, version in people],
    }


def read_rows(rows: list[Record], draws: Sequence[Draw]) -> tuple[Facts, list[int]]:
    """Facts from the rows of `lock_and_load`, and the ids of holds that have expired."""
    *rest, last = rows
    facts = Facts(last["t"], last["id"], last["a"], {}, {}, {}, {}, {}, {}, set(), envelope_revision=last["b"])
    due: list[int] = []
    for row in rest:
        fact, id_, a, b, c, d, e, f, time, s, u, x, v = row
        if fact == "grant":
            facts.grants[id_] = GrantFacts(id_, a, b, c, d, e, f, time, s, _numbers(u), int(v))
        elif fact == "wallet":
            facts.wallets[id_] = WalletFacts(id_, s, a, b, c, int(v))
        elif fact == "key":
            facts.keys[s, u] = _stored(x, id_, a, b, c, time, v)
        elif fact == "charge":
            facts.charges[id_] = ChargeFacts(id_, a, b, c, d or 0, time, _numbers(v))
        elif fact == "reference":
            facts.references[d, s] = StoredOutcome(reference_fingerprint(e, a), Outcome(id_, None, a, b, c, time))
        elif fact == "revoked":
            facts.revoked_credentials.add(id_)
        elif fact == "stale":
            facts.stale_people.add((id_, a))
        elif fact == "envelope":
            facts.envelopes[id_] = _read_envelope(v)
        elif fact == "applying":
            facts.applying.setdefault(draws[id_ - 1], []).append(a)
        else:
            facts.holds[id_] = HoldFacts(id_, a, b, c, s, time, u, d, e, _numbers(v), f)
            if fact == "due":
                due.append(id_)
    return facts, due


def _numbers(text: str | None) -> tuple[int, ...]:
    return () if text is None else tuple(map(int, text.split(",")))


def _stored(
    x: bytes, id_: int, amount: int, available: int, remaining: int | None, time: Any, by: str | None
) -> StoredOutcome:
    refusal = x[_FINGERPRINT_BYTES:].decode()
    outcome = Outcome(id_, Refusal(refusal) if refusal else None, amount, available, remaining, time)
    outcome.stopped = None if by is None else _read_stopped(by)
    return StoredOutcome(x[:_FINGERPRINT_BYTES], outcome)


async def _write(conn: "Connection[Record]", facts: Facts, rows: Rows) -> int:
    """Writes the rows; the transaction that did, as their xmin has it. Raises BrokenInvariant."""
    wallets = [facts.wallets[id_] for id_ in rows.wallets]
    grants = [facts.grants[id_] for id_ in rows.grants]
    envelopes = [facts.envelopes[id_] for id_ in rows.envelopes]
    refunds = list(rows.refunds.values())
    events = [balance_changed(wallet, rows.transfers[-1].id) for wallet in wallets]
    first_id = rows.transfers[0].id
    written = await _SQL.post.one(
        conn,
        now=facts.now,
        transfers=as_json(rows.transfers),
        movements=as_json([Movement(account, first_id, amount) for account, amount in rows.received.items()]),
        wallets=as_json(wallets),
        wallet_ids=rows.wallets,
        grants=as_json(grants),
        grant_ids=rows.grants,
        opened_holds=as_json(rows.opened_holds),
        closed_holds=as_json(rows.closed_holds),
        closed_wallets={hold.wallet_id for hold in rows.closed_holds},
        closed_ids={hold.id for hold in rows.closed_holds},
        refunds=as_json(refunds),
        refund_wallets={refund.wallet_id for refund in refunds},
        refund_charges={refund.charge_id for refund in refunds},
        events=as_json([*events, *map(told, rows.passed)]),
        envelopes=as_json(envelopes),
        envelope_ids=rows.envelopes,
        closed_windows=as_json([closed for id_, closed in rows.closed_windows.items() if id_ in rows.envelopes]),
    )
    later_refunds = sum(not refund.first for refund in refunds)
    expected = (len(wallets), len(grants), len(rows.closed_holds), later_refunds, len(envelopes))
    *counts, version = written
    if tuple(counts) != expected:
        raise BrokenInvariant(f"rows written {tuple(counts)}, expected {expected}")
    return int(version)


def balance_changed(wallet: WalletFacts, transfer_id: int) -> dict[str, Any]:
    """The event that tells of a balance, as a row of the outbox."""
    payload = {
        "balance": wallet.balance,
        "held": wallet.held,
        "available": wallet.available,
        "transfer_id": transfer_id,
    }
    return {"wallet_id": wallet.id, "kind": "balance.changed", "payload": payload}


def as_json(rows: Sequence[Any]) -> str:
    """Rows as the text that `json_to_recordset` takes."""
    return _encoder.encode(rows).decode() if rows else "[]"

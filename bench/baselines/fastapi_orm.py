"""Baseline: the usual way. FastAPI, SQLAlchemy's ORM, one transaction per charge, the same rows in the same database.

`python -m bench.baselines.fastapi_orm WORLD.json` prints its port and serves until its input ends.
"""

import itertools
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import BigInteger, DateTime, LargeBinary, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench.baselines.answering import answering
from bench.world import World, settings


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    balance: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[int] = mapped_column(BigInteger)


class Grant(Base):
    __tablename__ = "grants"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    limit_units: Mapped[int | None] = mapped_column(BigInteger)
    spent: Mapped[int] = mapped_column(BigInteger)


class Transfer(Base):
    __tablename__ = "transfers"
    wallet_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str]
    debit_account: Mapped[int] = mapped_column(BigInteger)
    credit_account: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    grant_id: Mapped[int] = mapped_column(BigInteger)
    available_after: Mapped[int] = mapped_column(BigInteger)
    client: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    provider_id: Mapped[int] = mapped_column(BigInteger)
    model: Mapped[str]
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Entry(Base):
    __tablename__ = "entries"
    account_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    transfer_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    wallet_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    balance_after: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Body(BaseModel):
    model_name: str
    input_tokens: int
    output_tokens: int


def build(world: World) -> FastAPI:
    """The application."""
    engine = create_async_engine(
        world.url.replace("postgresql://", "postgresql+asyncpg://"),
        pool_size=16,
        max_overflow=0,
        connect_args={"server_settings": {"search_path": "orm"}},
    )
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    payers = {payer.token: payer for payer in world.payers}
    ids = itertools.count(time.time_ns() // 1000)
    api = FastAPI()

    @api.post("/conxa/charge/authorize")
    async def authorize(
        body: Body, x_provider_session: Annotated[str, Header()], x_idempotency_key: Annotated[str, Header()]
    ) -> dict[str, Any]:
        payer = payers[x_provider_session]
        amount = body.input_tokens + 2 * body.output_tokens
        async with sessions() as session, session.begin():
            known = await session.scalar(
                select(Transfer).where(Transfer.client == "orm", Transfer.key == x_idempotency_key)
            )
            if known is not None:
                return {"approved": True, "new_balance": known.available_after // 1000}
            wallet = await session.get_one(Account, payer.wallet_id, with_for_update=True)
            grant = await session.get_one(Grant, payer.grant_id, with_for_update=True)
            if wallet.balance - wallet.held < amount:
                raise HTTPException(402)
            if grant.limit_units is not None and grant.spent + amount > grant.limit_units:
                raise HTTPException(403)
            wallet.balance -= amount
            grant.spent += amount
            number, now = next(ids), datetime.now(UTC)
            session.add(
                Transfer(
                    wallet_id=wallet.id,
                    id=number,
                    kind="charge",
                    debit_account=wallet.id,
                    credit_account=world.revenue,
                    amount=amount,
                    grant_id=grant.id,
                    available_after=wallet.balance - wallet.held,
                    client="orm",
                    key=x_idempotency_key,
                    fingerprint=b"0" * 16,
                    provider_id=world.provider_id,
                    model=body.model_name,
                    input_tokens=body.input_tokens,
                    output_tokens=body.output_tokens,
                    created_at=now,
                )
            )
            for account, units, after in ((wallet.id, -amount, wallet.balance), (world.revenue, amount, None)):
                session.add(
                    Entry(
                        account_id=account,
                        transfer_id=number,
                        wallet_id=wallet.id,
                        amount=units,
                        balance_after=after,
                        created_at=now,
                    )
                )
        return {"approved": True, "new_balance": wallet.balance // 1000}

    return api


async def main() -> None:
    world = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=World)
    await answering(build(world), settings())


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())

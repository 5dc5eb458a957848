"""Passkeys: a person's authenticators, and signing in with one."""

import hmac
import secrets
import time
from datetime import datetime

import webauthn
from asyncpg import Pool, Record
from msgspec import Struct
from webauthn.helpers import base64url_to_bytes, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from farebox import ids
from farebox.db import queries
from farebox.errors import Conflict, Invalid, NotFound, Unauthorized
from farebox.identity.credentials import Member
from farebox.identity.service import note
from farebox.identity.types import Place

_SQL = queries.load("farebox.identity", "passkeys.sql")
_TTL_S = 300
MOST = 20
"""Passkeys of one person."""
_SELECTION = AuthenticatorSelectionCriteria(
    resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
)


class Passkey(Struct, frozen=True):
    """A passkey as its owner sees it."""

    id: int
    credential_id: bytes
    name: str
    created_at: datetime
    used_at: datetime | None


class Passkeys:
    """The passkeys of one database. `secret` marks the challenges, which are kept nowhere before they are answered."""

    def __init__(self, pool: "Pool[Record]", secret: bytes) -> None:
        self._pool = pool
        self._secret = secret

    async def of(self, person_id: int) -> list[Passkey]:
        """A person's passkeys."""
        return [Passkey(**row) for row in await _SQL.passkeys_of.all(self._pool, person_id=person_id)]

    async def creation(self, member: Member, place: Place) -> str:
        """What a browser is asked for to make one; JSON."""
        known = [PublicKeyCredentialDescriptor(id=one.credential_id) for one in await self.of(member.id)]
        options = webauthn.generate_registration_options(
            rp_id=place.host,
            rp_name="Farebox",
            user_name=member.email,
            user_id=ids.public("us", member.id).encode(),
            challenge=self._challenge(f"make {member.id}"),
            authenticator_selection=_SELECTION,
            exclude_credentials=known,
        )
        return options_to_json(options)

    async def add(self, member: Member, place: Place, name: str, challenge: str, credential: str) -> None:
        """Keeps a passkey that a browser has made; raises Invalid, Conflict."""
        asked = await self._answered(f"make {member.id}", challenge)
        try:
            made = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=asked,
                expected_rp_id=place.host,
                expected_origin=place.origin,
                require_user_verification=True,
            )
        except WebAuthnException:
            raise Invalid.field("passkey", "what the browser sent is no passkey of this site") from None
        async with self._pool.acquire() as conn, conn.transaction():
            number = await _SQL.add_passkey.value(
                conn,
                person_id=member.id,
                owner_id=member.id,
                credential_id=made.credential_id,
                public_key=made.credential_public_key,
                sign_count=made.sign_count,
                name=name,
                most=MOST,
            )
            if number is None:
                raise Conflict(f"this passkey is known already, or there are {MOST}")
            await note(conn, member.client, "passkey.add", ids.public("us", member.id), name=name)

    async def remove(self, member: Member, passkey_id: int) -> None:
        """Forgets one: it signs nobody in any more. NotFound where it is not the person's."""
        async with self._pool.acquire() as conn, conn.transaction():
            if await _SQL.remove_passkey.value(conn, id=passkey_id, person_id=member.id) is None:
                raise NotFound("there is no such passkey")
            await note(conn, member.client, "passkey.remove", ids.public("us", member.id))

    def request(self, place: Place) -> str:
        """What a browser is asked for to sign in with one; JSON. It names nobody."""
        options = webauthn.generate_authentication_options(
            rp_id=place.host,
            challenge=self._challenge("use"),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)

    async def verify(self, place: Place, challenge: str, credential: str) -> Member:
        """The person whose passkey has signed the challenge; raises Unauthorized for everything else."""
        try:
            asked = await self._answered("use", challenge)
            parsed = webauthn.helpers.parse_authentication_credential_json(credential)
            row = await _SQL.passkey.first(self._pool, credential_id=parsed.raw_id)
            if row is None:
                raise _unknown()
            done = webauthn.verify_authentication_response(
                credential=parsed,
                expected_challenge=asked,
                expected_rp_id=place.host,
                expected_origin=place.origin,
                credential_public_key=row["public_key"],
                credential_current_sign_count=row["sign_count"],
                require_user_verification=True,
            )
        except (WebAuthnException, Invalid):
            raise _unknown() from None
        given = {"id": row["id"], "sign_count": done.new_sign_count, "checked": row["sign_count"]}
        if await _SQL.used_passkey.value(self._pool, **given) is None:
            raise _unknown()
        return Member(row["person_id"], row["email"], row["wallet_id"], row["password_version"])

    def _challenge(self, purpose: str) -> bytes:
        head = secrets.token_bytes(16) + (int(time.time()) + _TTL_S).to_bytes(8, "big")
        return head + self._mark(purpose, head)

    def _mark(self, purpose: str, head: bytes) -> bytes:
        return hmac.digest(self._secret, b"passkey " + purpose.encode() + b"\0" + head, "sha256")[:24]

    async def _answered(self, purpose: str, text: str) -> bytes:
        """A challenge of ours, for this purpose, fresh, and answered for the first time; else raises Invalid."""
        try:
            challenge = base64url_to_bytes(text[:200])
        except ValueError:
            challenge = b""
        head, mark = challenge[:24], challenge[24:]
        fresh = len(head) == 24 and int.from_bytes(head[16:], "big") > time.time()
        if not (fresh and hmac.compare_digest(mark, self._mark(purpose, head))):
            raise Invalid.field("challenge", "it took too long: try again")
        if await _SQL.answer_challenge.value(self._pool, challenge=challenge, ttl_s=_TTL_S + 60) is None:
            raise Invalid.field("challenge", "it was answered before: try again")
        return challenge


def _unknown() -> Unauthorized:
    return Unauthorized("this passkey is not known here")

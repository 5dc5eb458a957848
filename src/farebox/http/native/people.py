"""People who pay people, as administrators see them. What they do themselves is in the SyftBox dialect."""

from typing import Annotated

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from farebox import ids
from farebox.errors import NotFound
from farebox.http.depends import TheAuthority, ThePaging, TheServices
from farebox.http.native import wire
from farebox.http.native.context import IdempotencyKey, required_key
from farebox.http.native.may import administrators, only
from farebox.http.native.outcomes import moved
from farebox.identity.people import ASSET, NewPerson, Person
from farebox.services import Services

Email = Annotated[str | None, QueryParameter(max_length=320, description="Only who has this address.")]


class People(Controller):
    """Accounts with an e-mail address, a password and a wallet in USD."""

    path = "/v1/people"
    tags = ("People",)

    @post(summary="Make an account for somebody", guards=[only(administrators)])
    async def add(
        self, services: TheServices, authority: TheAuthority, data: JSONBody[wire.NewPerson]
    ) -> wire.MadePerson:
        new = NewPerson(data.email, data.password, data.organization)
        person, password = await services.funding.register(authority.actor, new)
        return wire.MadePerson(**msgspec.structs.asdict(_view(person)), password=password)

    @get(summary="List people", guards=[only(administrators)])
    async def page(
        self,
        services: TheServices,
        paging: ThePaging,
        email: Email = None,
    ) -> wire.Page[wire.PersonView]:
        found = await services.people.page(paging.number("people", 0), paging.most, email)
        return paging.page("people", found, _view)

    @get("/{person_id:str}", summary="Get a person", guards=[only(administrators)])
    async def one(self, services: TheServices, person_id: FromPath[str]) -> wire.PersonView:
        return _view(await _person(services, person_id))

    @post("/{person_id:str}/credits", summary="Put money into a person's wallet", guards=[only(administrators)])
    async def credit(
        self,
        services: TheServices,
        authority: TheAuthority,
        person_id: FromPath[str],
        data: JSONBody[wire.NewCredit],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[wire.Moved]:
        key = required_key(idempotency_key)
        person = await _person(services, person_id)
        outcome = await services.funding.credit(
            authority.principal, authority.actor, key, person, data.amount, data.note or "credit"
        )
        return moved(outcome, "dp", person.wallet_id, ASSET)


async def _person(services: Services, person_id: str) -> Person:
    number = ids.parse("us", person_id)
    if number is None:
        raise NotFound("there is no such person")
    return await services.people.by_id(number)


def _view(found: Person) -> wire.PersonView:
    return wire.PersonView(
        id=found.public_id,
        email=found.email,
        organization=found.organization,
        wallet=str(found.wallet_id),
        available=found.available,
        created_at=found.created_at,
    )

"""People with accounts, and the agents of organizations."""

from farebox.client.call import Call, Listing, get, given, move, part, post, put, units
from farebox.client.types import Agent, MadePerson, Moved, Page, Person


def add_person(email: str, *, password: str | None = None, organization: str | None = None) -> Call[MadePerson]:
    """Makes an account with a wallet in USD; without a password one is made, and told this once."""
    return post("/v1/people", {"email": email, "password": password, "organization": organization}, MadePerson)


def get_person(person_id: str) -> Call[Person]:
    """A person."""
    return get(f"/v1/people/{part(person_id)}", Person)


def list_people(email: str | None = None) -> Listing[Person]:
    """People; only who has an `email`, where one is named."""
    return Listing("/v1/people", Page[Person], given({"email": email}))


def credit(person_id: str, amount: int, *, note: str | None = None, idempotency_key: str | None = None) -> Call[Moved]:
    """Puts `amount` units of USD into a person's wallet."""
    body = {"amount": units(amount), "note": note}
    return move(f"/v1/people/{part(person_id)}/credits", body, Moved, idempotency_key)


def add_agent(organization_id: str, name: str, *, member: str | None = None) -> Call[Agent]:
    """Registers an agent of an organization; again with the same name gives the same one."""
    return post(
        f"/v1/organizations/{part(organization_id)}/agents", {"name": name, "member": member}, Agent, repeatable=True
    )


def list_agents(organization_id: str) -> Listing[Agent]:
    """An organization's agents, with what they have spent and may spend."""
    return Listing(f"/v1/organizations/{part(organization_id)}/agents", Page[Agent], {})


def allow_agent(
    organization_id: str,
    name: str,
    *,
    limit: int | None = None,
    charge_limit: int | None = None,
    expires_in_s: int | None = None,
) -> Call[Agent]:
    """Sets what an agent may spend from now on, in units of CREDIT; what is not given has no bound."""
    body = {"limit": units(limit), "charge_limit": units(charge_limit), "expires_in_s": expires_in_s}
    return put(f"/v1/organizations/{part(organization_id)}/agents/{part(name)}/allowance", body, Agent)

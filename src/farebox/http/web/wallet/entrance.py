"""Signing up, in and out; another password."""

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.params import FromQuery, QueryParameter

from farebox.errors import Problem
from farebox.http import edge
from farebox.http.callers import Callers
from farebox.http.depends import TheServices
from farebox.http.web import forms
from farebox.http.web.render import next_of, own_path, page, to
from farebox.http.web.visitor import WALLET, Visitor, check_way
from farebox.http.web.wallet.given import TheVisitor
from farebox.identity.credentials import Member
from farebox.identity.people import NewPerson
from farebox.services import Services

_EMAIL = 254
TOO_MANY = "Too many tries. Wait a moment, then try again."
Next = Annotated[str, QueryParameter(name="next")]


def entrance(callers: Callers) -> list[Any]:
    """The pages for everybody."""

    @get("/wallet/sign-in")
    async def sign_in_page(after: Next = "/wallet") -> Response[bytes]:
        return sign_in_form(200, None, "", own_path(after, "wallet"))

    @post("/wallet/sign-in")
    async def sign_in(request: Request[Any, Any, Any], services: TheServices) -> Response[Any]:
        forms.same_site(request.headers)
        check_way(request, services)
        form = await forms.read(request)
        after = next_of(form, "wallet")
        email = form.text("email", 2000)
        try:
            member = await callers.verified(email, form.secret("password"), edge.address_of(request.scope))
        except Problem as problem:
            return sign_in_form(problem.status, _why(problem), email[:_EMAIL], after, problem.retry_after_s)
        return await enter(request, services, member, after)

    @get("/wallet/sign-up")
    async def sign_up_page(after: Next = "/wallet") -> Response[bytes]:
        return page("wallet/sign_up.html", error=None, email="", next=own_path(after, "wallet"), visitor=None)

    @post("/wallet/sign-up")
    async def sign_up(request: Request[Any, Any, Any], services: TheServices) -> Response[Any]:
        forms.same_site(request.headers)
        check_way(request, services)
        form = await forms.read(request)
        after = next_of(form, "wallet")
        email, password = form.text("email", 2000), form.secret("password")
        address = edge.address_of(request.scope)
        try:
            callers.sign_ups.take(address)
            person, _ = await services.funding.register("anyone", NewPerson(email, password, None))
            member = await callers.verified(person.email, password, address)
        except Problem as problem:
            told = {"error": problem.detail, "email": email[:_EMAIL], "next": after, "visitor": None}
            return page("wallet/sign_up.html", problem.status, **told)
        return await enter(request, services, member, after)

    return [sign_in_page, sign_in, sign_up_page, sign_up]


@post("/wallet/sign-out")
async def sign_out(request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor) -> Response[Any]:
    visitor.check(await forms.read(request))
    await services.sessions.end(visitor.token)
    answer = to("/wallet/sign-in")
    WALLET.clear(request, answer)
    answer.headers["clear-site-data"] = '"cache"'
    return answer


@get("/wallet/account")
async def account(services: TheServices, visitor: TheVisitor, done: FromQuery[str] = "") -> Response[bytes]:
    return await _account(services, visitor, 200, None, changed=done == "password")


@post("/wallet/account/password")
async def change_password(request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor) -> Response[Any]:
    form = await forms.read(request)
    visitor.check(form)
    try:
        changed = await services.people.change_password(visitor.person, form.secret("old"), form.secret("new"))
    except Problem as problem:
        # A wrong old password is no reason to sign in again.
        return await _account(services, visitor, 422 if problem.status == 401 else problem.status, problem.detail)
    member = Member(changed.id, changed.email, changed.wallet_id, changed.password_version)
    return await enter(request, services, member, "/wallet/account?done=password")


async def enter(request: Request[Any, Any, Any], services: Services, member: Member, after: str) -> Response[Any]:
    """On to a page with a fresh session; whatever session the browser brought along ends (session fixation)."""
    token = await services.sessions.of_person(member, WALLET.read(request))
    answer = to(after)
    WALLET.set(request, answer, token, services.sessions.ttl_s)
    return answer


async def _account(
    services: Services, visitor: Visitor, status: int, error: str | None, *, changed: bool = False
) -> Response[bytes]:
    person = await services.people.get(visitor.person.email)
    passkeys = await services.passkeys.of(person.id)
    told = {"person": person, "passkeys": passkeys, "error": error, "changed": changed}
    return page("wallet/account.html", status, visitor=visitor, **told)


def sign_in_form(status: int, error: str | None, email: str, after: str, retry_s: int | None = None) -> Response[bytes]:
    """The page to sign in on, with what went wrong."""
    answer = page("wallet/sign_in.html", status, error=error, email=email, next=after, visitor=None)
    if retry_s is not None:
        answer.headers["retry-after"] = str(retry_s)
    return answer


def _why(problem: Problem) -> str:
    """The same for a wrong password and for somebody unknown (RULES 27)."""
    if problem.status == 401:
        return "E-mail address and password don’t belong together."
    return TOO_MANY if problem.status == 429 else problem.detail

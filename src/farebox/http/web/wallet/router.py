"""All pages of the wallet."""

from litestar import Router
from litestar.di import Provide

from farebox.http.callers import Callers
from farebox.http.web.wallet import (
    asking,
    connecting,
    connections,
    entrance,
    history,
    home,
    install,
    limits,
    passkeys,
    sending,
    statement,
    tokens,
)
from farebox.http.web.wallet.given import signed_in, visitor
from farebox.services import Services


def router(services: Services, callers: Callers) -> Router:
    """The pages for everybody, and those that take a session."""
    own = Router(
        "/",
        guards=[signed_in(services)],
        dependencies={"visitor": Provide(visitor)},
        route_handlers=[
            entrance.sign_out,
            entrance.account,
            entrance.change_password,
            home.home,
            home.home_live,
            connecting.scan_page,
            connecting.scan,
            connecting.request_page,
            connecting.approve,
            connecting.decline,
            connections.connections,
            connections.connection,
            connections.connection_live,
            connections.change,
            connections.revoke,
            history.history,
            history.one,
            limits.limits_page,
            limits.limits_live,
            limits.set_limit,
            limits.remove_limit,
            asking.ask_page,
            asking.ask,
            passkeys.creation,
            passkeys.add_passkey,
            passkeys.remove_passkey,
            sending.send_page,
            sending.send,
            sending.payment_page,
            sending.confirm,
            sending.cancel,
            tokens.tokens_page,
            tokens.make_token,
            tokens.revoke_token,
            statement.statement,
            statement.statement_csv,
            statement.statement_pdf,
        ],
    )
    door = [*entrance.entrance(callers), *passkeys.door(callers)]
    public = [install.manifest, install.worker, *door]
    return Router("/", route_handlers=[*public, own], include_in_schema=False)

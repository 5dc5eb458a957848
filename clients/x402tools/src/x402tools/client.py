"""The clients. Every call is made in `calls`; here they are only given their place and carried."""

from collections.abc import AsyncIterator, Iterator

from farebox.client.connected import AsyncConnected, Connected
from farebox.client.methods import async_does, does
from x402tools import calls
from x402tools.calls import DEFAULT_BASE_URL
from x402tools.types import Envelope, Usage


def _headers(api_key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key}"}


class X402Client(Connected):
    """An organization's side, with one of its keys. Threads may share one.

    `base_url` is the address of a Farebox server with `/x402tools` at its end; `X402TOOLS_API_URL` of the environment
    stands in for the default. Calls raise X402Error (see `x402tools.exceptions`) and take 30 seconds at most.
    """

    def __init__(self, api_key: str, base_url: str = DEFAULT_BASE_URL) -> None:
        self.base_url, self.api_key = calls.address(base_url), api_key
        self._connect(self.base_url, _headers(api_key))

    get_envelopes = does(calls.get_envelopes)
    get_envelope = does(calls.get_envelope)
    create_envelope = does(calls.create_envelope)
    update_envelope = does(calls.update_envelope)
    delete_envelope = does(calls.delete_envelope)
    record_usage = does(calls.record_usage)
    get_usage = does(calls.get_usage)
    get_usage_stats = does(calls.get_usage_stats)
    get_api_keys = does(calls.get_api_keys)
    create_api_key = does(calls.create_api_key)
    delete_api_key = does(calls.delete_api_key)

    def iter_envelopes(self) -> Iterator[Envelope]:
        """All envelopes, newest first, page after page."""
        query: dict[str, str] | None = {}
        while query is not None:
            found, query = self._run(calls.page("/envelopes", Envelope.from_dict, query))
            yield from found

    def iter_usage(self, envelope_id: str | None = None) -> Iterator[Usage]:
        """All that was used, newest first, page after page."""
        query: dict[str, str] | None = {"envelopeId": envelope_id} if envelope_id else {}
        while query is not None:
            found, query = self._run(calls.page("/usage", Usage.from_dict, query))
            yield from found


class AsyncX402Client(AsyncConnected):
    """X402Client for asyncio: the same calls, awaited. Tasks may share one."""

    def __init__(self, api_key: str, base_url: str = DEFAULT_BASE_URL) -> None:
        self.base_url, self.api_key = calls.address(base_url), api_key
        self._connect(self.base_url, _headers(api_key))

    get_envelopes = async_does(calls.get_envelopes)
    get_envelope = async_does(calls.get_envelope)
    create_envelope = async_does(calls.create_envelope)
    update_envelope = async_does(calls.update_envelope)
    delete_envelope = async_does(calls.delete_envelope)
    record_usage = async_does(calls.record_usage)
    get_usage = async_does(calls.get_usage)
    get_usage_stats = async_does(calls.get_usage_stats)
    get_api_keys = async_does(calls.get_api_keys)
    create_api_key = async_does(calls.create_api_key)
    delete_api_key = async_does(calls.delete_api_key)

    async def iter_envelopes(self) -> AsyncIterator[Envelope]:
        """As X402Client's."""
        query: dict[str, str] | None = {}
        while query is not None:
            found, query = await self._run(calls.page("/envelopes", Envelope.from_dict, query))
            for envelope in found:
                yield envelope

    async def iter_usage(self, envelope_id: str | None = None) -> AsyncIterator[Usage]:
        """As X402Client's."""
        query: dict[str, str] | None = {"envelopeId": envelope_id} if envelope_id else {}
        while query is not None:
            found, query = await self._run(calls.page("/usage", Usage.from_dict, query))
            for usage in found:
                yield usage

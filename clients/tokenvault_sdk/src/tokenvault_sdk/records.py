"""What is told of a use: the fields of a record on the stream."""

import json
import time
import uuid
from typing import Any

from farebox.client.usages import Seen
from tokenvault_sdk.exceptions import TrackingError


def record_of(
    response: Any, organization_id: str, profile_id: str, user_id: str, metadata: dict[str, Any] | None
) -> dict[str, Any]:
    """The record of an AI service's answer, an object or a dictionary; TrackingError where it tells no usage."""
    seen = Seen()
    seen.read(response)
    usage = seen.usage
    if usage is None:
        raise TrackingError("the answer tells no usage")
    prompt = usage.input_tokens + usage.cached_input_tokens + usage.cache_write_tokens
    completion = usage.output_tokens + usage.reasoning_tokens
    model, request_id = _text(response, "model"), _text(response, "id")
    return record(organization_id, profile_id, user_id, model, prompt, completion, metadata, request_id)


def record(
    organization_id: str,
    profile_id: str,
    user_id: str,
    model: str,
    prompt_tokens: int,
    completion_tokens: int,
    metadata: dict[str, Any] | None,
    request_id: str = "",
) -> dict[str, Any]:
    """A record with an id of its own: delivered twice, it counts once."""
    number = str(uuid.uuid4())
    found: dict[str, Any] = {
        "id": number,
        "organization_id": organization_id,
        "profile_id": profile_id,
        "user_id": user_id,
        "groq_request_id": request_id or number,
        "model": model,
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "timestamp": int(time.time()),
    }
    return found | ({"metadata": json.dumps(metadata)} if metadata else {})


def _text(response: Any, name: str) -> str:
    found = response.get(name) if isinstance(response, dict) else getattr(response, name, None)
    return found if isinstance(found, str) else ""

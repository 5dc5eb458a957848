"""The same with a WebSocket that tells when the user has connected: uvicorn fastapi_integration:app

CONXA_API_KEY, CONXA_PROVIDER_ID and CONXA_API_URL (http://127.0.0.1:8080/conxa) say where and who. A real application
has its users log in; here they say who they are.
"""

import os

from fastapi import FastAPI, HTTPException, WebSocket

from conxa import AsyncCONXAClient, ConnectionTimeoutError, SessionExpiredError

app = FastAPI()
client = AsyncCONXAClient(os.environ["CONXA_API_KEY"], provider_id=os.environ["CONXA_PROVIDER_ID"])


@app.post("/connect")
async def connect(user: str) -> dict:
    code = client.create_payment_qr(user, limit=50_000, expires_in=120)
    return code.to_json_safe_dict()


@app.websocket("/ws/{user}")
async def connection(websocket: WebSocket, user: str) -> None:
    """Tells `pending` once the code was scanned, and how it ended."""
    await websocket.accept()

    async def pending(status) -> None:
        await websocket.send_json({"status": status.status.value})

    try:
        await client.wait_for_connection(user, timeout=120, poll_interval=0.5, on_pending=pending)
        await websocket.send_json({"status": "active"})
    except (ConnectionTimeoutError, SessionExpiredError) as error:
        await websocket.send_json({"status": "expired", "error": str(error)})
    await websocket.close()


@app.post("/chat")
async def chat(user: str, message: str) -> dict:
    status = await client.get_session_status(user)
    if not status.is_active:
        raise HTTPException(401, "connect your wallet first")
    try:
        result = await client.charge(
            status.session_token, model_name="gpt-4o", input_tokens=len(message) * 4, output_tokens=100
        )
    except SessionExpiredError:
        raise HTTPException(401, "your session is over: connect again") from None
    if not result.approved:
        raise HTTPException(402, result.error)
    return {"answer": f"You said: {message}", "new_balance": result.new_balance}

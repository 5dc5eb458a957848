"""A web application that its users pay with their wallets: flask --app flask_integration run

CONXA_API_KEY, CONXA_PROVIDER_ID and CONXA_API_URL (http://127.0.0.1:8080/conxa) say where and who. A real application
has its users log in; here they say who they are.
"""

import os
import secrets

from flask import Flask, jsonify, redirect, render_template_string, request, session

from conxa import CONXAClient, QRCodeData, SessionExpiredError

app = Flask(__name__)
app.secret_key = os.environ.get("SECRET_KEY") or secrets.token_hex()
client = CONXAClient(os.environ["CONXA_API_KEY"], provider_id=os.environ["CONXA_PROVIDER_ID"])

PAGE = """
<h1>Connect your wallet</h1>
<img src="{{ code.qr_base64 }}" alt="QR code">
<p>The code is valid until {{ code.expires_at }}. <a href="/status">Done</a></p>
"""


@app.post("/login")
def login():
    session["user"] = request.form["user"]
    return redirect("/connect")


@app.get("/connect")
def connect():
    code = client.create_payment_qr(session["user"], limit=50_000, expires_in=120)
    session["code_ends"] = code.expires_at.isoformat()
    return render_template_string(PAGE, code=code)


@app.get("/status")
def status():
    try:
        found = client.get_session_status(session["user"], qr_data=QRCodeData("", expires_at=session["code_ends"]))
    except SessionExpiredError:
        return redirect("/connect")
    if found.is_active:
        session["token"] = found.session_token
    return jsonify(status=found.status.value)


@app.post("/api/chat")
def chat():
    if "token" not in session:
        return jsonify(error="connect your wallet first"), 401
    message = request.json["message"]
    try:
        result = client.charge(
            session["token"],
            idempotency_key=request.headers.get("X-Request-ID"),
            model_name="gpt-4o",
            input_tokens=len(message) * 4,
            output_tokens=100,
        )
    except SessionExpiredError:
        del session["token"]
        return jsonify(error="your session is over: connect again"), 401
    if not result.approved:
        return jsonify(error=result.error, new_balance=result.new_balance), 402
    return jsonify(answer=f"You said: {message}", new_balance=result.new_balance)

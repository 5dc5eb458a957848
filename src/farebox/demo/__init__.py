"""The demo: a real server, a wallet, a QR code, and a chat service that charges until it is stopped by the cap."""

"""What making an account can raise, beside the errors in `exceptions`."""

from syftbox.core.exceptions import PaymentError


class APIException(PaymentError):
    """An account could not be made; `status_code` says why, 409 that the e-mail address is taken."""

    def __init__(self, message: str, status_code: int = 500) -> None:
        super().__init__(message)
        self.status_code = status_code

    def __str__(self) -> str:
        return self.message

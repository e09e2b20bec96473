"""What goes wrong at the door, as a status and one clear sentence. Never carries what a person wrote."""

from fastapi.responses import JSONResponse
from pydantic import BaseModel

__all__ = ["Problem", "Refused"]


class Fault(BaseModel):
    """What is wrong, for people and for programs; the shape that OpenAI's clients read."""

    message: str
    type: str
    param: str | None = None
    code: str


class Problem(BaseModel):
    """The body of every refusal."""

    error: Fault


class Refused(Exception):
    """A request that is not met. again: seconds after which it may be."""

    def __init__(
        self, status: int, code: str, message: str, *, param: str | None = None, again: int | None = None
    ) -> None:
        super().__init__(code)
        self._status, self._again = status, again
        kind = "server_error" if status >= 500 else "invalid_request_error"
        self.code = code
        self._problem = Problem(error=Fault(message=message, type=kind, param=param, code=code))

    def response(self) -> JSONResponse:
        """The refusal as it is sent."""
        headers = {"Retry-After": str(self._again)} if self._again else {}
        if self._status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(self._problem.model_dump(), self._status, headers=headers)

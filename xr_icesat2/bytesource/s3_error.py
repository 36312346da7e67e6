"""An error that S3 answered, in the form in which botocore keeps it."""

import re

__all__ = ["S3Error"]

_CODE = re.compile(r"<Code>(\w+)</Code>")
_MESSAGE = re.compile(r"<Message>([^<]*)</Message>")


class S3Error(Exception):
    """S3 answers with an error; looks like botocore's to whoever translates it.

    Parameters
    ----------
    status : int
        HTTP status.
    body : str
        Of the answer, or a text that holds it.

    Attributes
    ----------
    status : int
        HTTP status.
    code : str
        What S3 calls it, such as ``"AccessDenied"``; ``""`` if it does not say.
    """

    def __init__(self, status: int, body: str) -> None:
        code, message = _CODE.search(body), _MESSAGE.search(body)
        self.status = status
        self.code = code[1] if code else ""
        super().__init__(f"HTTP {status} {self.code}")
        self.response = {
            # Without a body there is the status alone, which is what botocore calls the error.
            "Error": {"Code": self.code or str(status), "Message": message[1] if message else ""},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }

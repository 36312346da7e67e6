"""AWS Signature Version 4 of a GET request.

Not botocore's: that one writes the session token into its debug log, and has
no clock but this machine's.

Source: "Authenticating Requests: Using the Authorization Header" of the
Amazon S3 API reference.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from xr_icesat2.earthdata.credentials import S3Keys

__all__ = ["signed"]

_ALGORITHM = "AWS4-HMAC-SHA256"
_NO_BODY = hashlib.sha256(b"").hexdigest()


def signed(
    url: str, headers: Mapping[str, str], keys: S3Keys, moment: datetime, region: str
) -> dict[str, str]:
    """Headers of a signed GET.

    Parameters
    ----------
    url : str
        Percent-encoded as it will be sent; without query.
    headers : mapping
        To be signed as well.
    keys : S3Keys
        Temporary keys.
    moment : datetime
        Time of the server, UTC; it accepts some minutes to either side.
    region : str
        Where the bucket lies.

    Returns
    -------
    dict
        ``headers``, and what carries the signature.
    """
    parts = urlsplit(url)
    stamp, day = f"{moment:%Y%m%dT%H%M%SZ}", f"{moment:%Y%m%d}"
    sent = {
        **headers,
        "X-Amz-Content-SHA256": _NO_BODY,
        "X-Amz-Date": stamp,
        "X-Amz-Security-Token": keys.session_token,
    }
    canonical = {name.lower(): value for name, value in sent.items()} | {"host": parts.netloc}
    names = ";".join(sorted(canonical))
    lines = "".join(f"{name}:{canonical[name]}\n" for name in sorted(canonical))
    request = f"GET\n{parts.path}\n\n{lines}\n{names}\n{_NO_BODY}"
    scope = f"{day}/{region}/s3/aws4_request"
    text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{keys.secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    credential = f"{_ALGORITHM} Credential={keys.access_key}/{scope}"
    return sent | {"Authorization": f"{credential}, SignedHeaders={names}, Signature={signature}"}

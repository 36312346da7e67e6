"""Earthdata's host names, led to the stand-in: everything else is as in the world outside.

Clients ask for the true names on port 443 and check certificates for them;
only the answer of the name service differs. No other name is answered, so no
test reaches the network.
"""

import os
import socket

CMR_HOST = "cmr.earthdata.nasa.gov"
LOGIN_HOST = "urs.earthdata.nasa.gov"
DATA_HOST = "data.nsidc.earthdatacloud.nasa.gov"
OTHER_HOST = "granules.example.org"  # of somebody else
CDN_HOST = "dexample.cloudfront.net"
BUCKET = "nsidc-cumulus-prod-protected"
S3_HOST = f"{BUCKET}.s3.us-west-2.amazonaws.com"
HOSTS = (CMR_HOST, LOGIN_HOST, DATA_HOST, CDN_HOST, OTHER_HOST, S3_HOST)

# Where OpenSSL, requests and botocore look for certificates.
AUTHORITY_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")

_SYSTEM = socket.getaddrinfo
_LOOPBACK = {None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0"}  # noqa: S104 - compared only


class Names:
    """``getaddrinfo`` that knows Earthdata's hosts as ``port`` of loopback."""

    def __init__(self, port):
        self.port = port
        self.asked = []

    def __call__(self, host, port, *args, **kwargs):
        name = host.decode() if isinstance(host, bytes) else host
        if name in HOSTS:
            self.asked.append(name)
            return _SYSTEM("127.0.0.1", self.port, *args, **kwargs)
        # Names of this machine are needed by dask's clusters.
        if name in _LOOPBACK or name.startswith("127.") or name == socket.gethostname():
            return _SYSTEM(host, port, *args, **kwargs)
        raise socket.gaierror(socket.EAI_NONAME, f"no network in tests: {name}")


def trust(port, authority):
    """Lead this process to the stand-in on ``port``; for workers: call it there."""
    for name in AUTHORITY_VARIABLES:
        os.environ[name] = authority
    socket.getaddrinfo = Names(port)

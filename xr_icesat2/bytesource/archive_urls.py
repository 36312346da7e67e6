"""The addresses of NSIDC's archive in NASA's Earthdata cloud."""

__all__ = ["HTTPS", "S3", "path_of_url"]

_BUCKET = "nsidc-cumulus-prod-protected"
S3 = f"s3://{_BUCKET}/ATLAS/"
HTTPS = f"https://data.nsidc.earthdatacloud.nasa.gov/{_BUCKET}/ATLAS/"


def path_of_url(url: str | None) -> str | None:
    """Path in the archive of what has this address, or None where it lies elsewhere.

    ``icesat2://`` and the path is the same by whichever road suits.
    """
    for base in (S3, HTTPS):
        if url is not None and url.startswith(base):
            return url.removeprefix(base)
    return None

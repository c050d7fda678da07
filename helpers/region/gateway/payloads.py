"""Documents that a target is described by: given with it, or kept in S3."""

import json
from typing import Any
from urllib.parse import quote, urlsplit

from helpers.region.gateway.aws import Aws
from helpers.region.gateway.documents import TOO_DEEP
from helpers.region.gateway.messages import Json
from helpers.region.gateway.operations import BadTarget
from helpers.region.gateway.upstream import in_words

MOST = 10 * 2**20  # bytes in S3
MOST_INLINE = 2**20


async def payload(aws: Aws, given: Json) -> str | list[Json]:
    """The text of a document, or a list where it was given as one.

    Raises:
        BadTarget: it is not to be had, or too large.
    """
    if "inlinePayload" in given:
        found: str | list[Json] = given["inlinePayload"]
        if len(found) > MOST_INLINE:
            raise BadTarget([f"An inline document has at most {MOST_INLINE:,} bytes. Put it into S3."])
        return found
    place = urlsplit(given["s3"]["uri"])
    async with in_words(), aws.request("s3", "GET", f"/{place.netloc}{quote(place.path)}") as answer:
        if answer.status != 200:
            raise BadTarget([f"{given['s3']['uri']} cannot be read ({answer.status}). Put the document there first."])
        if (answer.content_length or 0) > MOST:
            raise BadTarget([f"A document has at most {MOST:,} bytes."])
        body: bytes = await answer.read()
        return body.decode()


async def tools(aws: Aws, given: Json) -> Any:  # noqa: ANN401 - any JSON
    """The tools in a document; they have not been looked at.

    Raises:
        BadTarget: it is not to be had, or no JSON.
    """
    document = await payload(aws, given)
    try:
        found = json.loads(document) if isinstance(document, str) else document
    except ValueError as error:
        raise BadTarget([f"The tool schema is no JSON: {error}"]) from error
    except RecursionError:
        raise BadTarget([TOO_DEEP]) from None
    return found["tools"] if isinstance(found, dict) and "tools" in found else found
